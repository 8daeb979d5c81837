"""Place a mask of the search picture in the frame, and find the rotated box around the target.

The mask is placed with the bilinear warp of OpenCV 3.4 to 4.13, which made all official results: it rounds
source coordinates to 1/32 pixel. OpenCV 5 rounds less, and on rough masks a few pixels at the threshold turn
the box by many degrees. Scale and shift act on each axis alone. The coordinates are therefore two vectors,
and only the pixels under the mask are computed.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from extract.trackers.corners import canonical
from extract.trackers.siammask.pictures import SEARCH_SIZE
from extract.trackers.siammask.proposals import STRIDE

MASK_SIZE = 127
MIN_AREA = 100  # a contour must enclose more pixels than this
OUTSIDE = np.float32(-1)  # the mask's value outside the mask

_FIRST_START = -4 * STRIDE  # where the mask of grid position 0 begins, in pixels of the search picture
_FIXED_POINT = 1024  # OpenCV sums coordinates in 1/1024 pixel, then keeps 1/32
_BITS_DROPPED, _HALF = 5, 16
_SUBPIXELS = 32


@dataclass(frozen=True)
class Placement:
    """Frame pixel (x, y) shows the mask at (x * scale_x + shift_x, y * scale_y + shift_y)."""

    scale_x: float
    shift_x: float
    scale_y: float
    shift_y: float


@dataclass(frozen=True, eq=False)
class PlacedMask:
    """The pixels of a frame that a mask touches: `values` (height, width) float32 from (`left`, `top`) on."""

    values: np.ndarray
    left: int
    top: int


@dataclass(frozen=True, eq=False)
class _Taps:
    """For each frame pixel of one axis from `first` on: a mask pixel `index` with its weight `near`.

    `far` is the weight of the next mask pixel.
    """

    first: int
    index: np.ndarray
    near: np.ndarray
    far: np.ndarray


def placement(
    grid_position: tuple[int, int], *, corner: np.ndarray, side: int, width: int, height: int
) -> Placement:
    """Return where the mask of a grid position (row, column) lies in a frame of `width` x `height` pixels.

    `corner` (x, y) and `side` describe the search square in the frame, in pixels. As in the official code,
    width - 1 steps of the frame are mapped onto width steps of the mask, so the mask is slightly too small.
    """
    step = side / SEARCH_SIZE
    mask_side = step * MASK_SIZE
    zoom = MASK_SIZE / mask_side
    row, column = grid_position
    # The frame as a box in mask pixels, then the forward map (scale, shift) of mask onto frame.
    left = -(corner[0] + (_FIRST_START + column * STRIDE) * step) * zoom
    top = -(corner[1] + (_FIRST_START + row * STRIDE) * step) * zoom
    forward_x, forward_y = (width - 1) / (width * zoom), (height - 1) / (height * zoom)
    # The inverse as OpenCV computes that of a 2x3 matrix, to the last bit.
    inverse_determinant = 1.0 / (forward_x * forward_y)
    scale_x, scale_y = forward_y * inverse_determinant, forward_x * inverse_determinant
    shift_x, shift_y = scale_x * (forward_x * left), scale_y * (forward_y * top)
    return Placement(float(scale_x), float(shift_x), float(scale_y), float(shift_y))


def place_mask(mask: np.ndarray, where: Placement, *, width: int, height: int) -> PlacedMask:
    """Warp the mask (127, 127) float32 onto a frame; its values fade to -1 at its edges.

    Frame pixels outside `PlacedMask.values` are -1.
    """
    x = _taps(where.scale_x, where.shift_x, width)
    y = _taps(where.scale_y, where.shift_y, height)
    bordered = np.pad(mask, 1, constant_values=OUTSIDE)
    above, below = bordered[y.index], bordered[y.index + 1]
    near, far = y.near[:, None], y.far[:, None]
    # The order and the float32 of the original's sum.
    values = above[:, x.index] * (near * x.near)
    values += above[:, x.index + 1] * (near * x.far)
    values += below[:, x.index] * (far * x.near)
    values += below[:, x.index + 1] * (far * x.far)
    return PlacedMask(values, x.first, y.first)


def _taps(scale: float, shift: float, length: int) -> _Taps:
    steps = np.rint(scale * np.arange(length, dtype=np.float64) * _FIXED_POINT).astype(np.int64)
    origin = int(np.rint(shift * _FIXED_POINT)) + _HALF
    fixed = (origin + steps) >> _BITS_DROPPED
    source = fixed // _SUBPIXELS
    touched = np.flatnonzero((source >= -1) & (source < MASK_SIZE))
    far = ((fixed % _SUBPIXELS) / _SUBPIXELS).astype(np.float32)[touched]
    first = int(touched[0]) if len(touched) else 0
    return _Taps(first, source[touched] + 1, np.float32(1) - far, far)


def rotated_box(placed: PlacedMask, *, threshold: float) -> tuple[np.ndarray | None, int]:
    """Return the smallest rotated box (4, 2) float32 around the mask's largest piece, and the mask's area.

    The box is None if no piece encloses more than 100 pixels. The area is in pixels.
    """
    target = (placed.values > threshold).astype(np.uint8)
    area = int(target.sum())
    if area <= MIN_AREA:  # a contour encloses fewer pixels than the piece has
        return None, area
    offset = (placed.left, placed.top)
    contours = cv2.findContours(target, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE, offset=offset)[-2]
    largest = max(contours, key=cv2.contourArea)
    if cv2.contourArea(largest) <= MIN_AREA:
        return None, area
    return canonical(cv2.boxPoints(cv2.minAreaRect(largest))), area
