"""Maps with their tubes: streams larger than memory, read from the store's files when a batch is cut.

A video of MTL-AQA in two views is 16 MB of float16 maps, all of them 23 GB, and 164 GB in every view. The
records are uncompressed, so their files are mapped as they are: nothing is copied beforehand, a batch reads
its own clips and view alone, and what is read again comes from the system's page cache.

Tubes are small. They are made from the stored quads when the maps are opened, and cut beside the maps, so
that both are of the same clips and of the same view.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from aqa_pipeline.athlete.tube_masks import (
    GRID_SIZE,
    MaskVariant,
    PictureGeometry,
    paper_frame_masks,
    released_frame_masks,
    union_of_frames,
    with_whole_grid_where_empty,
)
from aqa_pipeline.errors import RunError
from aqa_pipeline.records import StreamSpec

Masks = NDArray[np.bool_]
Extras = Mapping[str, NDArray[np.generic]]
Seconds = NDArray[np.float64]
SHAPE = "(clip, view, channel, step, height, width)"
CPU = torch.device("cpu")


def tube_of(stream: str) -> str:
    """Under which name a batch holds the tubes of that stream's maps."""
    return f"{stream}.tube"


class CutMaps(NamedTuple):
    """Windows of some videos: maps `batch clip channel step height width` in the dtype they are stored in.

    `tubes` are bool, without channel; `mask` `batch clip` tells clips from padding, which is zero.
    """

    maps: Tensor
    tubes: Tensor
    mask: Tensor


@dataclass(frozen=True, eq=False)
class TubeMaps:
    """Of each video its maps, `clip view channel step height width`, and its tube, without channel.

    `checksums` stand for the records; `num_empty` counts the steps of reference views whose tube had no cell.
    `device` is where cut maps go.
    """

    maps: tuple[NDArray[np.floating], ...]
    tubes: tuple[Masks, ...]
    checksums: tuple[str, ...]
    num_empty: int
    device: torch.device = CPU

    @property
    def num_channels(self) -> int:
        """What the maps are deep: 528 after I3D's `Mixed_4e`."""
        return self.maps[0].shape[2]

    @property
    def num_views(self) -> int:
        """In how many ways each clip is seen."""
        return self.maps[0].shape[1]

    def reference(self, video: int) -> NDArray[np.floating]:
        """Return the maps of that video in the reference view, `(clip, 1, channel, step, height, width)`."""
        return self.maps[video][:, :1]

    def clip_seconds(self, pts_seconds: Sequence[Seconds]) -> tuple[Seconds, ...]:
        """Return the times of each video's clips, `(clip, 2)`, from those of its records' steps."""
        return tuple(pts_seconds)

    def cut(self, videos: Tensor, *, starts: Tensor, views: Tensor, num_steps: int) -> CutMaps:
        """`num_steps` clips of each of the videos from its start, in its view; reads those alone."""
        shape = (len(videos), num_steps, *self.maps[0].shape[2:])
        maps = np.zeros(shape, self.maps[0].dtype)
        tubes = np.zeros((*shape[:2], *shape[3:]), bool)
        mask = np.zeros(shape[:2], bool)
        chosen = zip(videos.tolist(), starts.tolist(), views.tolist(), strict=True)
        for row, (video, start, view) in enumerate(chosen):
            window = self.maps[video][start : start + num_steps, view]
            maps[row, : len(window)] = window
            tubes[row, : len(window)] = self.tubes[video][start : start + num_steps, view]
            mask[row, : len(window)] = True
        return CutMaps(torch.from_numpy(maps), torch.from_numpy(tubes), torch.from_numpy(mask))


class OpenedRecord(NamedTuple):
    """What of a record makes maps with a tube: read, or mapped from its file."""

    spec: StreamSpec
    features: NDArray[np.floating]
    extras: Extras
    checksum: str = ""


def open_maps(stream: str, records: Sequence[OpenedRecord], *, variant: MaskVariant = "paper") -> TubeMaps:
    """Return the maps of these records, one per video, with the tubes of that variant.

    Raises `RunError` for records that are no maps with quads, or that differ in size.
    """
    shapes = {record.features.shape[1:] for record in records}
    if len(shapes) != 1 or len(next(iter(shapes))) != 5:
        raise RunError(
            f"the {stream!r} features have the shapes (clip, ...) {sorted(map(str, shapes))}: expected one "
            f"for all videos, {SHAPE}. Extract them again."
        )
    made = [MASKS[variant](record) for record in records]
    tubes = [with_whole_grid_where_empty(masks) for masks in made]
    for record, tube in zip(records, tubes, strict=True):
        if tube.masks.shape != (*record.features.shape[:2], *record.features.shape[3:]):
            raise RunError(
                f"the quads of {stream!r} make tubes of {tube.masks.shape}, its maps are "
                f"{record.features.shape}: expected the same {SHAPE} without channel. Extract them again."
            )
    return TubeMaps(
        maps=tuple(record.features for record in records),
        tubes=tuple(tube.masks for tube in tubes),
        checksums=tuple(record.checksum for record in records),
        num_empty=sum(int((~masks[:, 0].any(axis=(-2, -1))).sum()) for masks in made),
    )


def paper_masks(record: OpenedRecord) -> Masks:
    """Eq. 1 and 2 from quads `clip view frame 4 2` in pixels of the crop, mirrored where the view is.

    Clips and views share frames: each different quad is computed once, a tenth of them in fourteen views.
    """
    quads = _extra(record, "quads")
    flat = np.ascontiguousarray(quads).reshape(-1, 8)
    _, first, place = np.unique(_as_bytes(flat), return_index=True, return_inverse=True)
    different = paper_frame_masks(flat[first].reshape(-1, 4, 2))
    return union_of_frames(different[place.reshape(-1)].reshape(*quads.shape[:-2], GRID_SIZE, GRID_SIZE))


def released_masks(record: OpenedRecord) -> Masks:
    """Return the masks of the released code, from quads in frame pixels, which are never mirrored."""
    quads, sizes = _extra(record, "frame_quads"), _extra(record, "frame_size")
    width, height = (int(side) for side in sizes[0]) if len(sizes) else (1, 1)
    geometry = PictureGeometry((width, height))
    of_views = [
        union_of_frames(released_frame_masks(quads[:, view], geometry, name.endswith("-flip")))
        for view, name in enumerate(record.spec.views or ("",))
    ]
    return np.stack(of_views, axis=1)


MASKS: Mapping[MaskVariant, Callable[[OpenedRecord], Masks]] = {
    "paper": paper_masks,
    "released": released_masks,
}


def tubes_of_variant(variant: str) -> MaskVariant:
    """How the tubes of that variant of a head are made."""
    return "released" if variant.startswith("released") else "paper"


def _extra(record: OpenedRecord, name: str) -> NDArray[np.floating]:
    if name not in record.extras:
        raise RunError(
            f"the {record.spec.stream!r} records have no {name!r} beside their maps, only "
            f"{sorted(record.extras)}: a tube needs them. Extract with `aqa extract --streams tubes`."
        )
    return np.asarray(record.extras[name])


def _as_bytes(rows: NDArray[np.generic]) -> NDArray[np.void]:
    """Each row as one value, so that equal rows are found; as numbers, nan would equal nothing."""
    return rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).reshape(-1)
