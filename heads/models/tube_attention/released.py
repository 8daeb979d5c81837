"""Tube self-attention as the authors released it: Gaussian attention with a softmax, and no reduction.

Original: github.com/Shunli-Wang/TSA-Net (its class TSA_Module; states have its names `NL_1D.*`). Own text.
Differences from the text: theta and phi are the identity, the scores x^T x go through a softmax over the
tube's positions, g and W keep all channels, and W ends in a BatchNorm that starts at zero.

The BatchNorm sees one video at a time, as there: its statistics are of that video's positions.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from heads.models.tube_attention.points import check_shapes, dense_in_either_order, replace_rows, tube_points

CHANNELS = 480  # of MaxPool3d_4a, where the released code puts it


class GaussianAttention(nn.Module):
    """All positions of one video, (1, channel, position), attending to one another."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        norm = nn.BatchNorm1d(channels)
        nn.init.zeros_(norm.weight)
        nn.init.zeros_(norm.bias)
        self.g = nn.Conv1d(channels, channels, 1)
        self.W = nn.Sequential(nn.Conv1d(channels, channels, 1), norm)

    def forward(self, x: Tensor) -> Tensor:
        attended: Tensor = self.W(attention(x.mT, self.g(x).mT).mT) + x
        return attended


def attention(x: Tensor, values: Tensor) -> Tensor:
    """softmax(x x^T) values, unscaled, for (1, position, channel).

    On a GPU the fused kernels spare the memory of the scores; on a CPU plain products are faster.
    """
    if x.is_cuda:
        return F.scaled_dot_product_attention(x, x, values, scale=1.0)
    return (x @ x.mT).softmax(dim=-1) @ values


class ReleasedTubeAttention(nn.Module):
    """Maps `batch clip channel step height width` and masks of the tubes, without channel -> the same shape.

    A video with fewer than two positions stays as it is: the released code would stop at its BatchNorm.
    `clip_order_bug` hands the clips on as the released code does (see `released_clip_order`).
    Raises ValueError for other shapes.
    """

    def __init__(self, channels: int = CHANNELS, *, clip_order_bug: bool = False) -> None:
        super().__init__()
        self.channels, self.clip_order_bug = channels, clip_order_bug
        self.NL_1D = GaussianAttention(channels)

    def forward(self, maps: Tensor, masks: Tensor) -> Tensor:
        check_shapes(maps, masks, self.channels)
        maps = dense_in_either_order(maps)
        dtype = self.NL_1D.g.weight.dtype
        attended = replace_rows(maps, tube_points(masks, maps.device), self._of_video, dtype=dtype)
        return released_clip_order(attended) if self.clip_order_bug else attended

    def _of_video(self, x: Tensor) -> Tensor:
        return self.NL_1D(x.mT[None])[0].mT if len(x) > 1 else x


def released_clip_order(maps: Tensor) -> Tensor:
    """The maps with their steps dealt out to the clips as the released code does it.

    It strings clips of four steps together, slot = 4 clip + step, and reads slot = clips * step + clip back:
    with 7 clips, "clip" 0 gets the slots 0, 7, 14, 21, from the clips 0, 1, 3 and 5.
    """
    batch, clips, channels, steps, *space = maps.shape
    slots = maps.movedim(3, 2).reshape(batch, steps, clips, channels, *space)
    return slots.permute(0, 2, 3, 1, 4, 5)
