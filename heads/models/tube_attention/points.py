"""The positions of a video's tube as rows: read from the maps of a batch, and written back."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from heads.data.device import to_device


class TubePoints(NamedTuple):
    """The positions of one video's tube: the clip in the batch and the flat grid position in the clip.

    Both are `(position)`. Each video has its own number of positions; nothing is padded.
    """

    clip: Tensor
    grid_position: Tensor

    def __len__(self) -> int:
        return self.clip.numel()


def tube_points(masks: Tensor, device: torch.device) -> list[TubePoints]:
    """Return the positions of each video where `masks`, bool `(batch, clip, step, height, width)`, are true.

    The positions are on `device`. With masks on the CPU nothing waits for the GPU.
    """
    positions = masks.flatten(2).flatten(0, 1).nonzero(as_tuple=True)
    clip, grid_position = (to_device(each, device) for each in positions)
    counts = masks.flatten(1).sum(dim=1).tolist()
    return [
        TubePoints(*of_video)
        for of_video in zip(clip.split(counts), grid_position.split(counts), strict=True)
    ]


def take(maps: Tensor, points: TubePoints) -> Tensor:
    """Return the rows `(position, channel)` of maps `(batch, clip, channel, step, height, width)`."""
    return _by_clip_and_position(maps)[points.clip, :, points.grid_position]


def write(maps: Tensor, points: TubePoints, rows: Tensor) -> None:
    """Write the rows `(position, channel)` into the maps."""
    _by_clip_and_position(maps)[points.clip, :, points.grid_position] = rows


def replace_rows(
    maps: Tensor, points: list[TubePoints], change: Callable[[Tensor], Tensor], *, dtype: torch.dtype
) -> Tensor:
    """Return a copy of the maps in `dtype` with the rows of every video changed; autograd records it.

    Rows of all videos are read and written at once, because each write costs autograd a copy of the whole
    maps.
    """
    all_points = TubePoints(*(torch.cat(parts) for parts in zip(*points, strict=True)))
    rows = take(maps, all_points).to(dtype).split([len(of_video) for of_video in points])
    changed = maps.to(dtype, copy=True)
    write(changed, all_points, torch.cat([change(x) for x in rows]))
    return changed


def _by_clip_and_position(maps: Tensor) -> Tensor:
    """Return a view `(clip, channel, grid position)`, whether channels come first or last in memory."""
    batch, clips, channels = maps.shape[:3]
    return maps.view(batch * clips, channels, -1)


def dense_in_either_order(maps: Tensor) -> Tensor:
    """Return the maps if their channels come first or last in memory, else a contiguous copy."""
    channels_last = maps.movedim(2, -1)
    return maps if channels_last.is_contiguous() else maps.contiguous()


def check_shapes(maps: Tensor, masks: Tensor, channels: int) -> None:
    """Raise `ValueError` unless maps are `(batch, clip, channel, step, height, width)` and masks fit them."""
    fits = maps.ndim == 6 and maps.shape[2] == channels
    if not fits or masks.dtype != torch.bool or masks.shape != maps[:, :, 0].shape:
        raise ValueError(
            f"tube attention needs maps (batch, clip, {channels}, step, height, width) and bool masks of the "
            f"same shape without channels; got {tuple(maps.shape)} and {masks.dtype} {tuple(masks.shape)}"
        )
