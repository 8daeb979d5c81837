"""The layers of Inception-I3D: convolutions and pools with the paddings of its two PyTorch ports.

`padding` is "dynamic" (piergiaj, TensorFlow's SAME) or "static" (hassony2): see `i3d`. Max-pooling takes one
axis after another, because PyTorch's 3D pool is a scalar loop on CPUs and an elementwise maximum is not. The
maximum is separable, so the values are the same.
"""

from collections.abc import Callable
from functools import reduce
from typing import cast

import torch
from torch import Tensor, nn
from torch.jit._trace import is_tracing
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from aqa_pipeline.backbones.networks.same_padding import Padding, same_padding, zero_padded
from aqa_pipeline.backbones.onednn import conv3d_by_onednn

Triple = tuple[int, int, int]


class ConvUnit(nn.Module):
    """A convolution without bias, batch normalization, and ReLU."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: Triple,
        *,
        stride: Triple = (1, 1, 1),
        bn_eps: float,
        padding: Padding,
    ) -> None:
        super().__init__()
        self.conv3d = SameConv3d(in_channels, out_channels, kernel, stride=stride, bias=False)
        self.conv3d.same = padding
        self.bn = nn.BatchNorm3d(out_channels, eps=bn_eps, momentum=0.01)

    def forward(self, x: Tensor) -> Tensor:
        """Return maps (batch, out_channels, time, height, width)."""
        return F.relu(self.bn(self.conv3d(x)), inplace=True)

    def folded(self) -> "FoldedUnit":
        """Return the same function, for inference, with the normalization folded into the weights."""
        return FoldedUnit(fuse_conv_bn_eval(self.conv3d, self.bn), self.conv3d.same)


class SameConv3d(nn.Conv3d):
    """A convolution that pads with zeros as the ports do."""

    same: Padding

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution of the padded maps."""
        return _convolved(x, self, self.same, F.conv3d)


class FoldedUnit(SameConv3d):
    """A convolution with folded normalization, and ReLU; on a CPU, oneDNN computes it."""

    def __init__(self, fused: nn.Conv3d, same: Padding) -> None:
        kernel, stride = cast(Triple, fused.kernel_size), cast(Triple, fused.stride)
        super().__init__(fused.in_channels, fused.out_channels, kernel, stride, device="meta")
        self.same, self.weight, self.bias = same, fused.weight, fused.bias

    def forward(self, x: Tensor) -> Tensor:
        """Return the ReLU of the convolution of the padded maps."""
        by_onednn = x.device.type == "cpu" and torch.backends.mkldnn.is_available()
        convolve = conv3d_by_onednn if by_onednn else F.conv3d
        return F.relu(_convolved(x, self, self.same, convolve), inplace=True)


Convolve = Callable[[Tensor, Tensor, Tensor | None, tuple[int, ...], tuple[int, ...]], Tensor]


def _convolved(x: Tensor, conv3d: nn.Conv3d, padding: Padding, convolve: Convolve) -> Tensor:
    sizes = zip(x.shape[2:], conv3d.kernel_size, conv3d.stride, strict=True)
    pads = [same_padding(size, k, s, padding) for size, k, s in sizes]
    if all(front == back for front, back in pads):  # the convolution itself can pad, without a copy
        return convolve(x, conv3d.weight, conv3d.bias, conv3d.stride, tuple(front for front, _ in pads))
    return convolve(zero_padded(x, pads), conv3d.weight, conv3d.bias, conv3d.stride, (0, 0, 0))


class SamePool(nn.Module):
    """Max-pooling that pads with zeros, not -inf, as both ports do; the result differs for negative maps."""

    def __init__(self, kernel: Triple, stride: Triple, *, padding: Padding) -> None:
        super().__init__()
        self.kernel, self.stride, self.padding = kernel, stride, padding

    def forward(self, x: Tensor) -> Tensor:
        """Return the pooled maps."""
        sizes = zip(x.shape[2:], self.kernel, self.stride, strict=True)
        x = zero_padded(x, [same_padding(size, k, s, self.padding) for size, k, s in sizes])
        ceil_mode = self.padding == "static"
        # A traced network runs in an engine with a fast pool of its own. Training uses torch's pool, so that
        # the gradient goes to the first of equal values, as in the ports.
        if is_tracing() or x.requires_grad:
            return F.max_pool3d(x, self.kernel, self.stride, ceil_mode=ceil_mode)
        return separable_max_pool3d(x, self.kernel, self.stride, ceil_mode=ceil_mode)


class Mixed(nn.Module):
    """An Inception block: four branches, whose channels are concatenated in order."""

    def __init__(
        self,
        in_channels: int,
        widths: tuple[int, int, int, int, int, int],
        *,
        bn_eps: float,
        padding: Padding,
    ) -> None:
        super().__init__()
        b0, b1a, b1b, b2a, b2b, b3b = widths

        def unit(channels: int, width: int, size: int) -> ConvUnit:
            return ConvUnit(channels, width, (size, size, size), bn_eps=bn_eps, padding=padding)

        self.b0 = unit(in_channels, b0, 1)
        self.b1a, self.b1b = unit(in_channels, b1a, 1), unit(b1a, b1b, 3)
        self.b2a, self.b2b = unit(in_channels, b2a, 1), unit(b2a, b2b, 3)
        self.b3a = SamePool((3, 3, 3), (1, 1, 1), padding=padding)
        self.b3b = unit(in_channels, b3b, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the maps of the four branches, concatenated along the channels."""
        branches = (self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), self.b3b(self.b3a(x)))
        return torch.cat(branches, dim=1)


def separable_max_pool3d(x: Tensor, kernel: Triple, stride: Triple, *, ceil_mode: bool) -> Tensor:
    """Compute `F.max_pool3d(x, kernel, stride, ceil_mode=ceil_mode)`, one axis after another."""
    for axis in (1, 0, 2):  # width last: the other axes compare whole rows, and leave fewer of them
        if kernel[axis] > 1 or stride[axis] > 1:
            x = _max_along(x, axis + 2, kernel[axis], stride[axis], ceil_mode=ceil_mode)
    return x


def _max_along(x: Tensor, dim: int, kernel: int, stride: int, *, ceil_mode: bool) -> Tensor:
    size = x.shape[dim]
    steps = (size - kernel) // stride + 1
    begun = steps * stride  # where an incomplete last window would begin
    if ceil_mode and (size - kernel) % stride and begun < size:
        x = F.pad(x, [0, 0] * (x.ndim - 1 - dim) + [0, begun + kernel - size], value=-torch.inf)
    return reduce(torch.maximum, x.unfold(dim, kernel, stride).unbind(-1))
