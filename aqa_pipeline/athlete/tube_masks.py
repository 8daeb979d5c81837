"""Which cells of a feature map the athlete is in: from tracked quads to the masks of a tube.

Paper: Wang et al., "TSA-Net: Tube Self-Attention Network for Action Quality Assessment", ACM MM 2021,
eq. 1-3. Original code: github.com/Shunli-Wang/TSA-Net (FR-FS only). Own text.

| | `paper` | `released` |
|---|---|---|
| where a quad lies | in the crop that the network saw | in the whole frame, squeezed onto the map |
| a cell is inside | from tau = 1/2 of its area on | where `fillConvexPoly` of truncated corners paints |

The released code resizes 640x360 frames to 455x256 and cuts out the central 224x224, but lays its quads over
the whole frame, so that its tubes stand beside the athlete ("we ignored this mismatch", its authors say).

Quads are (..., 4, 2): corners x, y around the box, as `quads.py` reads them; NaN where nobody is followed.
Coordinates are continuous: the picture spans [0, width] x [0, height].
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from aqa_pipeline.errors import AqaError, UnknownName
from aqa_pipeline.records import Box

Quads = npt.NDArray[np.floating]
Masks = npt.NDArray[np.bool_]
MaskVariant = Literal["paper", "released"]
Size = tuple[int, int]  # width, height

CELLS = 14  # rows and columns of I3D's maps from MaxPool3d_4a to Mixed_4f for 224x224 pictures
FRAMES_PER_STEP = 4  # I3D halves time twice before them
TAU = 0.5
EXACT = 1e-9  # a half that rounding made smaller is still a half


@dataclass(frozen=True)
class PictureGeometry:
    """How a frame became the network's picture: resized to `resized_size`, the central square cut out.

    The defaults are those of USDL and TSA-Net. A flip mirrors the picture after the crop.
    """

    frame_size: Size
    resized_size: Size = (455, 256)
    crop_size: int = 224

    def __post_init__(self) -> None:
        if min(*self.frame_size, *self.resized_size, self.crop_size) < 1:
            raise AqaError(f"{self}: expected widths and heights of at least one pixel")

    def in_picture(self, quads: Quads, *, flipped: bool = False) -> Quads:
        """The quads in pixels of the network's picture (`paper`)."""
        scale = np.array(self.resized_size) / np.array(self.frame_size)
        offset = [_crop_start(side, self.crop_size) for side in self.resized_size]
        return _mirrored(quads * scale - offset, self.crop_size) if flipped else quads * scale - offset

    @property
    def field_of_view(self) -> Box:
        """The part of the frame that the picture shows, in pixels of the frame."""
        size, resized = np.array(self.frame_size, np.float64), np.array(self.resized_size)
        start = np.array([_crop_start(side, self.crop_size) for side in self.resized_size])
        corners = np.stack([start, start + self.crop_size]) * size / resized
        (x1, y1), (x2, y2) = np.clip(corners, 0, size).tolist()
        return x1, y1, x2, y2

    def over_whole_frame(self, quads: Quads, *, flipped: bool = False) -> Quads:
        """The quads in cells, as if the map showed the whole frame (`released`), truncated to integers."""
        width, height = self.frame_size
        whole = np.trunc(_mirrored(quads, width) if flipped else quads)
        return np.trunc(whole / np.array([width / CELLS, height / CELLS]))


def shorter_side_resized(frame_size: Size, short_side: int) -> Size:
    """The size after resizing the shorter side, aspect kept; as torchvision, 455 for 455.1 and for 455.9."""
    width, height = frame_size
    shorter = min(frame_size)
    return int(short_side * width / shorter), int(short_side * height / shorter)


def _crop_start(side: int, crop_size: int) -> int:
    """Where torchvision's CenterCrop starts: 115.5 -> 116, the even one; smaller sides are padded."""
    return round((side - crop_size) / 2) if side >= crop_size else -((crop_size - side) // 2)


def _mirrored(quads: Quads, width: float) -> Quads:
    return np.stack([width - quads[..., 0], quads[..., 1]], axis=-1)


@dataclass(frozen=True, eq=False)
class TubeMasks:
    """The tube of a video: bool masks (..., step, CELLS, CELLS), and how many steps had no cell at all.

    Such a step has its whole grid instead: it must not vanish, nor stop the released BatchNorm.
    """

    masks: Masks
    num_empty: int

    @property
    def num_positions(self) -> int:
        """C(x) of eq. 4: positions of the tube over all clips and steps."""
        return int(self.masks.sum())


def tube_masks(
    quads: Quads, *, geometry: PictureGeometry, variant: MaskVariant = "paper", flipped: bool = False
) -> TubeMasks:
    """The tube of quads (..., frame, 4, 2) in pixels of the frame: `FRAMES_PER_STEP` frames make one step.

    `flipped` says that the network saw the picture mirrored. Raises `AqaError` for other shapes, a number of
    frames that does not divide, or infinite corners; `UnknownName` for another variant.
    """
    if variant not in FRAME_MASKS:
        raise UnknownName("variant of tube masks", variant, FRAME_MASKS)
    return with_whole_grid_where_empty(union_of_frames(FRAME_MASKS[variant](quads, geometry, flipped)))


def clip_quads(quads: Quads, *, starts: Sequence[int], num_frames: int = 16) -> Quads:
    """Quads by clip, (clip, num_frames, 4, 2), of a video's (frame, 4, 2), for clips that start at `starts`.

    Raises `AqaError` where a clip leaves the video.
    """
    last = max(starts) + num_frames
    if min(starts) < 0 or last > len(quads):
        raise AqaError(f"clips from frame {min(starts)} to {last} do not fit quads of {len(quads)} frames")
    return quads[np.add.outer(np.asarray(starts), np.arange(num_frames))]


def paper_frame_masks(quads: Quads, geometry: PictureGeometry, flipped: bool) -> Masks:
    """Eq. 1, (..., CELLS, CELLS) for each frame."""
    picture = geometry.in_picture(quads, flipped=flipped)
    return coverage(picture, picture_size=geometry.crop_size) >= TAU - EXACT


def released_frame_masks(quads: Quads, geometry: PictureGeometry, flipped: bool) -> Masks:
    """What the released code paints: every cell that the truncated quad touches, (..., CELLS, CELLS)."""
    import cv2

    corners = _checked(quads)
    cells = geometry.over_whole_frame(corners, flipped=flipped).reshape(-1, 4, 2)
    painted = np.zeros((len(cells), CELLS, CELLS), np.uint8)
    for canvas, quad in zip(painted, cells, strict=True):
        if not np.isnan(quad).any():
            cv2.fillConvexPoly(canvas, quad.astype(np.int32), 1)
    return painted.astype(bool).reshape(*corners.shape[:-2], CELLS, CELLS)


FRAME_MASKS: Mapping[str, Callable[[Quads, PictureGeometry, bool], Masks]] = {
    "paper": paper_frame_masks,
    "released": released_frame_masks,
}


def union_of_frames(masks: Masks) -> Masks:
    """Eq. 2: (..., frame, CELLS, CELLS) -> (..., step, CELLS, CELLS). `AqaError` if frames are left over."""
    num_frames = masks.shape[-3] if masks.ndim > 2 else 0
    if not num_frames or num_frames % FRAMES_PER_STEP:
        raise AqaError(
            f"{num_frames} frames: expected groups of {FRAMES_PER_STEP}, which make one step of the map"
        )
    steps = (*masks.shape[:-3], num_frames // FRAMES_PER_STEP, FRAMES_PER_STEP, *masks.shape[-2:])
    return np.asarray(masks.reshape(steps).any(axis=-3))


def with_whole_grid_where_empty(masks: Masks) -> TubeMasks:
    """The masks with every cell of the steps that had none (nobody followed, or outside the picture)."""
    empty = ~masks.any(axis=(-2, -1), keepdims=True)
    return TubeMasks(masks | empty, int(empty.sum()))


def coverage(quads: Quads, *, picture_size: float = 224, grid: int = CELLS) -> npt.NDArray[np.float64]:
    """S of eq. 1: the share of each cell that a quad covers, (..., grid, grid) rows first; exact areas.

    `picture_size` is the side of the square picture, in the quads' unit. Corners may go either way around,
    lie outside, or make a hollow box; where its sides cross, the box is the one around the same corners. A
    quad without area covers nothing, nor does NaN. Raises `AqaError` for other shapes and infinite corners.

    By Green's theorem: the areas between each side of a polygon and the upper edge of a cell, within the
    cell and signed by the side's direction, add up to the area inside.
    """
    corners = _uncrossed(_checked(quads)) * (grid / picture_size)
    present = ~np.isnan(corners).any(axis=(-2, -1))
    corners = np.where(np.expand_dims(present, (-2, -1)), corners, 0.0)
    x1, y1 = (corners[..., None, None] for corners in np.moveaxis(corners, -1, 0))  # (..., side, 1, 1)
    x2, y2 = np.roll(x1, -1, axis=-3), np.roll(y1, -1, axis=-3)
    columns, rows = np.arange(grid), np.arange(grid)[:, None]
    left, right = (
        np.clip(x1, columns, columns + 1),
        np.clip(x2, columns, columns + 1),
    )  # (..., side, 1, column)
    run = np.where(x1 == x2, 1.0, x2 - x1)
    start, stop = y1 + (y2 - y1) * ((left - x1) / run), y1 + (y2 - y1) * ((right - x1) / run)
    areas = ((right - left) * _mean_clipped(start - rows, stop - rows)).sum(axis=-3)  # over the sides
    return np.clip(np.abs(areas), 0.0, 1.0)


def _mean_clipped(start: npt.NDArray[np.float64], stop: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The mean over a straight line from `start` to `stop` of its value clipped to [0, 1].

    The shares of the line between 0 and 1 and above 1, each with its mean; written so that a line which is
    all but level loses no digits.
    """
    low, high = np.minimum(start, stop), np.maximum(start, stop)
    span = np.where(high > low, high - low, 1.0)
    low_in, high_in = np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)
    between = (high_in - low_in) / span * (high_in + low_in) / 2
    above = np.maximum(high - np.maximum(low, 1.0), 0.0) / span
    return np.where(high > low, between + above, low_in)


def _checked(quads: Quads) -> npt.NDArray[np.float64]:
    corners = np.asarray(quads, np.float64)
    if corners.ndim < 2 or corners.shape[-2:] != (4, 2):
        raise AqaError(f"quads of the shape {corners.shape}: expected (..., 4, 2), four corners x, y each")
    if np.isinf(corners).any():
        raise AqaError("quads with infinite corners: expected numbers, or NaN where nobody is followed")
    return corners


def _uncrossed(corners: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Corners of a bow tie, which turns twice either way, sorted around their centre; others as they are."""
    sides = np.roll(corners, -1, axis=-2) - corners
    following = np.roll(sides, -1, axis=-2)
    turns = sides[..., 0] * following[..., 1] - sides[..., 1] * following[..., 0]
    crossed = ((turns > 0).sum(axis=-1) == 2) & ((turns < 0).sum(axis=-1) == 2)
    from_centre = corners - corners.mean(axis=-2, keepdims=True)
    order = np.argsort(np.arctan2(from_centre[..., 1], from_centre[..., 0]), axis=-1, kind="stable")
    around = np.take_along_axis(corners, order[..., None], axis=-2)
    return np.where(np.expand_dims(crossed, (-2, -1)), around, corners)
