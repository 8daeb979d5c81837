"""Compute which grid positions of a feature map show the athlete: from tracked quads to tube masks.

Paper: Wang et al., "TSA-Net: Tube Self-Attention Network for Action Quality Assessment", ACM MM 2021,
eq. 1-3. Original code: github.com/Shunli-Wang/TSA-Net (FR-FS only). This code is written anew.

| | `paper` | `released` |
|---|---|---|
| a quad is placed | in the crop that the network saw | in the whole frame, resized to the map |
| a grid position is inside | if tau = 1/2 of its area is covered | if `fillConvexPoly` paints it |

The released code resizes 640x360 frames to 455x256 and cuts out the central 224x224, but places its quads in
the whole frame. Its tubes therefore stand beside the athlete ("we ignored this mismatch", its authors say).

Quads are (..., 4, 2): corners x, y around the box, as `quads.py` reads them. A quad is NaN in a frame without
athlete. Coordinates are continuous: the picture spans [0, width] x [0, height].
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from aqa_pipeline.errors import AqaError
from aqa_pipeline.records import Box

Quads = npt.NDArray[np.floating]
Masks = npt.NDArray[np.bool_]
MaskVariant = Literal["paper", "released"]
Size = tuple[int, int]  # width, height

GRID_SIZE = 14  # rows and columns of I3D's maps from MaxPool3d_4a to Mixed_4f for 224x224 pictures
FRAMES_PER_STEP = 4  # I3D halves time twice before them
TAU = 0.5
EXACT = 1e-9  # tolerance for a share of 1/2 that rounding made smaller


@dataclass(frozen=True)
class PictureGeometry:
    """How a frame becomes the network's picture: resize to `resized_size`, then cut out the central square.

    The defaults are those of USDL and TSA-Net. A flip mirrors the picture after the crop.
    """

    frame_size: Size
    resized_size: Size = (455, 256)
    crop_size: int = 224

    def __post_init__(self) -> None:
        if min(*self.frame_size, *self.resized_size, self.crop_size) < 1:
            raise AqaError(f"{self}: expected widths and heights of at least one pixel")

    def in_picture(self, quads: Quads, *, flipped: bool = False) -> Quads:
        """Return the quads in pixels of the network's picture (`paper`)."""
        scale = np.array(self.resized_size) / np.array(self.frame_size)
        offset = [_crop_start(side, self.crop_size) for side in self.resized_size]
        return _mirrored(quads * scale - offset, self.crop_size) if flipped else quads * scale - offset

    @property
    def field_of_view(self) -> Box:
        """Return the part of the frame that the picture shows, in pixels of the frame."""
        size, resized = np.array(self.frame_size, np.float64), np.array(self.resized_size)
        start = np.array([_crop_start(side, self.crop_size) for side in self.resized_size])
        corners = np.stack([start, start + self.crop_size]) * size / resized
        (x1, y1), (x2, y2) = np.clip(corners, 0, size).tolist()
        return x1, y1, x2, y2

    def over_whole_frame(self, quads: Quads, *, flipped: bool = False) -> Quads:
        """Return the quads in grid positions, truncated, as if the map showed the whole frame."""
        width, height = self.frame_size
        whole = np.trunc(_mirrored(quads, width) if flipped else quads)
        return np.trunc(whole / np.array([width / GRID_SIZE, height / GRID_SIZE]))


def resized_to_short_side(frame_size: Size, short_side: int) -> Size:
    """Return the size after resizing the shorter side, with the aspect ratio kept.

    As in torchvision, the longer side is truncated: 455 for 455.1 and for 455.9.
    """
    width, height = frame_size
    shorter = min(frame_size)
    return int(short_side * width / shorter), int(short_side * height / shorter)


def _crop_start(side: int, crop_size: int) -> int:
    """Return where torchvision's CenterCrop starts: 115.5 -> 116, the even number; small sides are padded."""
    return round((side - crop_size) / 2) if side >= crop_size else -((crop_size - side) // 2)


def _mirrored(quads: Quads, width: float) -> Quads:
    return np.stack([width - quads[..., 0], quads[..., 1]], axis=-1)


@dataclass(frozen=True, eq=False)
class TubeMasks:
    """The tube of a video: bool masks (..., step, GRID_SIZE, GRID_SIZE), and the number of empty steps.

    An empty step has its whole grid set instead: without any position the step would vanish, and the
    BatchNorm of the released code would fail.
    """

    masks: Masks
    num_empty: int


def paper_frame_masks(quads: Quads, *, picture_size: float = 224) -> Masks:
    """Return the masks of eq. 1, (..., GRID_SIZE, GRID_SIZE), one per quad in pixels of the picture.

    Raises `AqaError` for other shapes and infinite corners.
    """
    return coverage(quads, picture_size=picture_size) >= TAU - EXACT


def released_frame_masks(quads: Quads, geometry: PictureGeometry, flipped: bool) -> Masks:
    """Return the masks of the released code, (..., GRID_SIZE, GRID_SIZE), one per quad.

    A mask holds every grid position that the truncated quad touches. Quads are in pixels of the frame.
    `flipped` says that the network saw the picture mirrored.
    """
    import cv2

    corners = _checked(quads)
    on_grid = geometry.over_whole_frame(corners, flipped=flipped).reshape(-1, 4, 2)
    painted = np.zeros((len(on_grid), GRID_SIZE, GRID_SIZE), np.uint8)
    for canvas, quad in zip(painted, on_grid, strict=True):
        if not np.isnan(quad).any():
            cv2.fillConvexPoly(canvas, quad.astype(np.int32), 1)
    return painted.astype(bool).reshape(*corners.shape[:-2], GRID_SIZE, GRID_SIZE)


def union_of_frames(masks: Masks) -> Masks:
    """Return eq. 2: (..., frame, GRID_SIZE, GRID_SIZE) -> (..., step, GRID_SIZE, GRID_SIZE).

    `FRAMES_PER_STEP` frames make one step. Raises `AqaError` if frames are left over.
    """
    num_frames = masks.shape[-3] if masks.ndim > 2 else 0
    if not num_frames or num_frames % FRAMES_PER_STEP:
        raise AqaError(
            f"{num_frames} frames: expected groups of {FRAMES_PER_STEP}, which make one step of the map"
        )
    steps = (*masks.shape[:-3], num_frames // FRAMES_PER_STEP, FRAMES_PER_STEP, *masks.shape[-2:])
    return np.asarray(masks.reshape(steps).any(axis=-3))


def with_whole_grid_where_empty(masks: Masks) -> TubeMasks:
    """Return the masks, with every position set in empty steps (no athlete, or outside the picture)."""
    empty = ~masks.any(axis=(-2, -1), keepdims=True)
    return TubeMasks(masks | empty, int(empty.sum()))


def coverage(quads: Quads, *, picture_size: float = 224, grid: int = GRID_SIZE) -> npt.NDArray[np.float64]:
    """Return S of eq. 1: the share of each grid position that a quad covers, (..., row, column), exactly.

    `picture_size` is the side of the square picture, in the unit of the quads. Corners may go either way
    around, lie outside, or form a hollow box. If the sides of a box cross, its corners are sorted first. A
    quad without area and a quad of NaN cover nothing. Raises `AqaError` for other shapes and infinite
    corners.

    The method is Green's theorem: the areas between each side of a polygon and the upper edge of a grid
    position, within the position and signed by the direction of the side, add up to the area inside.
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
    """Return the mean of a straight line from `start` to `stop`, with its values clipped to [0, 1].

    The mean adds the part of the line between 0 and 1 and the part above 1. The order of operations keeps
    all digits for a line that is nearly level.
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
        raise AqaError("quads with infinite corners: expected numbers, or NaN in frames without athlete")
    return corners


def _uncrossed(corners: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the corners, sorted around their center if the sides cross.

    A quad with crossing sides turns twice each way.
    """
    sides = np.roll(corners, -1, axis=-2) - corners
    following = np.roll(sides, -1, axis=-2)
    turns = sides[..., 0] * following[..., 1] - sides[..., 1] * following[..., 0]
    crossed = ((turns > 0).sum(axis=-1) == 2) & ((turns < 0).sum(axis=-1) == 2)
    from_center = corners - corners.mean(axis=-2, keepdims=True)
    order = np.argsort(np.arctan2(from_center[..., 1], from_center[..., 0]), axis=-1, kind="stable")
    around = np.take_along_axis(corners, order[..., None], axis=-2)
    return np.where(np.expand_dims(crossed, (-2, -1)), around, corners)
