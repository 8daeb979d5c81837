"""The positions of a video's tube as rows: taken out of a batch's maps, and put back."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from heads.data.device import sent


class TubePoints(NamedTuple):
    """Where one video's tube is: of every position its clip in the batch, and its cell in the clip.

    Tubes are ragged: each video has its own number of positions, and nothing is padded.
    """

    clip: Tensor
    cell: Tensor

    def __len__(self) -> int:
        return self.clip.numel()


def tube_points(masks: Tensor, device: torch.device) -> list[TubePoints]:
    """The positions of each video where `masks`, bool `batch clip step height width`, are true.

    They are on the device; nobody waits for that where masks are on the CPU.
    """
    positions = masks.flatten(2).flatten(0, 1).nonzero(as_tuple=True)
    clip, cell = (sent(each, device) for each in positions)
    counts = masks.flatten(1).sum(dim=1).tolist()
    return [TubePoints(*of_video) for of_video in zip(clip.split(counts), cell.split(counts), strict=True)]


def take(maps: Tensor, points: TubePoints) -> Tensor:
    """The features at the points, (position, channel), of maps `batch clip channel step height width`."""
    return _by_clip_and_cell(maps)[points.clip, :, points.cell]


def write(maps: Tensor, points: TubePoints, rows: Tensor) -> None:
    """Puts the rows (position, channel) at the points of the maps."""
    _by_clip_and_cell(maps)[points.clip, :, points.cell] = rows


def replace_rows(
    maps: Tensor, points: list[TubePoints], change: Callable[[Tensor], Tensor], *, dtype: torch.dtype
) -> Tensor:
    """A copy of the maps, in `dtype`, with every video's rows changed by a function that autograd follows.

    Rows of all videos are taken and written at once: each time costs autograd a copy of the whole maps.
    """
    all_points = TubePoints(*(torch.cat(parts) for parts in zip(*points, strict=True)))
    rows = take(maps, all_points).to(dtype).split([len(of_video) for of_video in points])
    changed = maps.to(dtype, copy=True)
    write(changed, all_points, torch.cat([change(x) for x in rows]))
    return changed


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
