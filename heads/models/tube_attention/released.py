"""Tube self-attention of the authors' released code: Gaussian attention with a softmax, without reduction.

Original: the class TSA_Module of github.com/Shunli-Wang/TSA-Net, whose parameter names `NL_1D.*` are kept. No
code is copied. Differences from the paper's text: theta and phi are the identity, the scores x^T x go through
a softmax over the tube's positions, g and W keep all channels, and W ends in a BatchNorm that starts at zero.

The BatchNorm gets one video at a time, as in the original, so its statistics are over one video's positions.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from heads.models.tube_attention.points import check_shapes, dense_in_either_order, replace_rows, tube_points

CHANNELS = 480  # of MaxPool3d_4a, after which the released code attends


class GaussianAttention(nn.Module):
    """Attention among all positions of one video."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        norm = nn.BatchNorm1d(channels)
        nn.init.zeros_(norm.weight)
        nn.init.zeros_(norm.bias)
        self.g = nn.Conv1d(channels, channels, 1)
        self.W = nn.Sequential(nn.Conv1d(channels, channels, 1), norm)

    def forward(self, x: Tensor) -> Tensor:
        """Return the attended positions `(1, channel, position)`."""
        attended: Tensor = self.W(attention(x.mT, self.g(x).mT).mT) + x
        return attended


def attention(x: Tensor, values: Tensor) -> Tensor:
    """Return softmax(x x^T) values, unscaled, for `(1, position, channel)`.

    On a GPU fused kernels need no memory for the scores. On a CPU plain products are faster.
    """
    if x.is_cuda:
        return F.scaled_dot_product_attention(x, x, values, scale=1.0)
    return (x @ x.mT).softmax(dim=-1) @ values


class ReleasedTubeAttention(nn.Module):
    """Attention among the positions of each video's tube, as released.

    A video with fewer than two positions does not change; the released code fails there, at its BatchNorm.
    `clip_order_bug` mixes the steps of the clips as the released code does (see `released_clip_order`).
    """

    def __init__(self, channels: int = CHANNELS, *, clip_order_bug: bool = False) -> None:
        super().__init__()
        self.channels, self.clip_order_bug = channels, clip_order_bug
        self.NL_1D = GaussianAttention(channels)

    def forward(self, maps: Tensor, masks: Tensor) -> Tensor:
        """Return attended maps of the same shape, `(batch, clip, channel, step, height, width)`.

        `masks` are bool, of the same shape without channel. Raises `ValueError` for other shapes.
        """
        check_shapes(maps, masks, self.channels)
        maps = dense_in_either_order(maps)
        dtype = self.NL_1D.g.weight.dtype
        attended = replace_rows(maps, tube_points(masks, maps.device), self._of_video, dtype=dtype)
        return released_clip_order(attended) if self.clip_order_bug else attended

    def _of_video(self, x: Tensor) -> Tensor:
        return self.NL_1D(x.mT[None])[0].mT if len(x) > 1 else x


def released_clip_order(maps: Tensor) -> Tensor:
    """Return the maps with the steps mixed between the clips as in the released code.

    The released code writes slot = 4 clip + step and reads slot = num_clips * step + clip. With 7 clips, clip
    0 gets the slots 0, 7, 14 and 21, which come from the clips 0, 1, 3 and 5.
    """
    batch, clips, channels, steps, *space = maps.shape
    slots = maps.movedim(3, 2).reshape(batch, steps, clips, channels, *space)
    return slots.permute(0, 2, 3, 1, 4, 5)
