"""Pad with zeros as TensorFlow's SAME does: the output has a stride's share of the input, rounded up."""

from typing import Literal

from torch import Tensor
from torch.nn import functional as F

Padding = Literal["dynamic", "static"]  # "static": as if the stride divided every size, see `networks.i3d`


def same_padding(size: int, kernel: int, stride: int, padding: Padding) -> tuple[int, int]:
    """Return the number of zeros before and after one axis; an odd one goes to the end."""
    covered = stride if padding == "static" else (size % stride or stride)
    total = max(kernel - covered, 0)
    return total // 2, total - total // 2


def zero_padded(x: Tensor, pads: list[tuple[int, int]]) -> Tensor:
    """Return maps (batch, channel, *axes) with `pads` zeros (before, after) along each of the axes."""
    flat = [zeros for front_back in reversed(pads) for zeros in front_back]  # F.pad starts at the last axis
    return F.pad(x, flat) if any(flat) else x
