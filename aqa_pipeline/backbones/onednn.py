"""Compute all 3D convolutions on a CPU with oneDNN.

By default, torch uses a slower kernel for 1x1 in space on one thread, and for small maps of a single clip:
R(2+1)D's convolutions along time take six times as long with it.
"""

from copy import copy

import torch
from torch import Tensor, nn

Triple = tuple[int, ...]


class OneDnnConv3d(nn.Module):
    """A 3D convolution that oneDNN computes, in the precision of its weights."""

    def __init__(self, conv: nn.Conv3d) -> None:
        super().__init__()
        self.conv = copy(conv)

    @property
    def weight(self) -> Tensor:
        """The kernel; networks of transformers ask its type."""
        return self.conv.weight

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution of maps (batch, channel, time, height, width)."""
        conv = self.conv
        padding = tuple(map(int, conv.padding))
        return conv3d_by_onednn(
            x, conv.weight, conv.bias, conv.stride, padding, dilation=conv.dilation, groups=conv.groups
        )


def conv3d_by_onednn(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Triple,
    padding: Triple,
    *,
    dilation: Triple = (1, 1, 1),
    groups: int = 1,
) -> Tensor:
    """Compute `F.conv3d` on a CPU, without gradients."""
    x, bias = x.to(weight.dtype), None if bias is None else bias.to(weight.dtype)
    output: Tensor = torch.mkldnn_convolution(x, weight, bias, padding, stride, dilation, groups)
    return output


def by_onednn(network: nn.Module) -> nn.Module:
    """Replace the network's plain 3D convolutions in place by oneDNN's, and return the network."""
    if not torch.backends.mkldnn.is_available():
        return network
    for name, module in list(network.named_modules()):
        if _is_plain(module):
            assert isinstance(module, nn.Conv3d)
            network.set_submodule(name, OneDnnConv3d(module))
    return network


def _is_plain(module: nn.Module) -> bool:
    if not isinstance(module, nn.Conv3d) or type(module).forward is not nn.Conv3d.forward:
        return False
    return module.padding_mode == "zeros" and not isinstance(module.padding, str)
