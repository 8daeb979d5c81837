"""The positions of a batch's tubes as rows: taken out of the maps, and put back."""

from typing import NamedTuple

import torch
from torch import Tensor


class TubePoints(NamedTuple):
    """Where the tubes are: for every position its clip in the batch and its cell in the clip, video by video.

    `counts` are the positions of each video: tubes are ragged, and nothing is padded.
    """

    clip: Tensor
    cell: Tensor
    counts: list[int]


def tube_points(masks: Tensor) -> TubePoints:
    """The positions where `masks`, bool `batch clip step height width`, are true."""
    clip, cell = masks.flatten(2).flatten(0, 1).nonzero(as_tuple=True)
    return TubePoints(clip, cell, masks.flatten(1).sum(dim=1).tolist())


def take(maps: Tensor, points: TubePoints) -> Tensor:
    """The features at the points, (position, channel), of maps `batch clip channel step height width`."""
    return _by_clip_and_cell(maps)[points.clip, :, points.cell]


def put(maps: Tensor, points: TubePoints, rows: Tensor) -> Tensor:
    """A copy of the maps with these rows at the points, in the rows' dtype; all else is as it was."""
    copied = maps.to(rows.dtype, copy=True)
    _by_clip_and_cell(copied)[points.clip, :, points.cell] = rows
    return copied


def _by_clip_and_cell(maps: Tensor) -> Tensor:
    """A view (clip, channel, cell), whether channels come first or last in memory."""
    batch, clips, channels = maps.shape[:3]
    return maps.view(batch * clips, channels, -1)


def dense_in_either_order(maps: Tensor) -> Tensor:
    """The maps themselves if their channels come first or last in memory, else a copy of which that is so."""
    channels_last = maps.movedim(2, -1)
    return maps if channels_last.is_contiguous() else maps.contiguous()


def check_shapes(maps: Tensor, masks: Tensor, channels: int) -> None:
    """Raises ValueError unless maps are `batch clip channel step height width` and masks fit them."""
    fits = maps.ndim == 6 and maps.shape[2] == channels
    if not fits or masks.dtype != torch.bool or masks.shape != maps[:, :, 0].shape:
        raise ValueError(
            f"tube attention takes maps (batch, clip, {channels}, step, height, width) and bool masks of the "
            f"same without channels; got {tuple(maps.shape)} and {masks.dtype} {tuple(masks.shape)}"
        )
