"""From a mask of the search picture to the rotated box around the target in the frame.

The mask is laid onto the frame by the bilinear warp of OpenCV 3.4 to 4.13, with which all official results
were made: source coordinates are rounded to 1/32 pixel. OpenCV 5 interpolates more finely, and on rough masks
a few pixels at the threshold turn the box by many degrees. Scale and shift act on each axis alone, so the
coordinates are two vectors here, and only the pixels under the mask are computed.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from extract.trackers.geometry import canonical
from extract.trackers.siammask.pictures import SEARCH_SIZE
from extract.trackers.siammask.proposals import STRIDE

MASK_SIZE = 127
MIN_AREA = 100  # a contour must enclose more pixels than this to be believed
OUTSIDE = np.float32(-1)  # what the frame holds where the mask does not reach

_FIRST_PLACE = -4 * STRIDE  # where the mask of place 0 begins, in pixels of the search picture
_FIXED_POINT = 1024  # OpenCV adds coordinates up in 1/1024 pixel, then keeps 1/32
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
    """The pixels of a frame that a mask touches: `values` (h, w) float32, the first at (`left`, `top`)."""

    values: np.ndarray
    left: int
    top: int


@dataclass(frozen=True, eq=False)
class _Taps:
    """On one axis, the frame pixels from `first` on: which mask pixel and its successor, in what shares."""

    first: int
    index: np.ndarray
    near: np.ndarray
    far: np.ndarray


def placement(place: tuple[int, int], *, corner: np.ndarray, side: int, width: int, height: int) -> Placement:
    """Where the mask of (row, column) on the grid lies in a frame of `width` x `height` pixels.

    `corner` (x, y) and `side` are of the search square in the frame. The official code maps the frame's
    W - 1 steps onto W mask steps, which is kept: the mask is a little smaller than it could be.
    """
    step = side / SEARCH_SIZE
    mask_side = step * MASK_SIZE
    zoom = MASK_SIZE / mask_side
    row, column = place
    # The frame as a box in mask pixels, then the forward map (scale, shift) of mask onto frame.
    left = -(corner[0] + (_FIRST_PLACE + column * STRIDE) * step) * zoom
    top = -(corner[1] + (_FIRST_PLACE + row * STRIDE) * step) * zoom
    forward_x, forward_y = (width - 1) / (width * zoom), (height - 1) / (height * zoom)
    # Inverted as OpenCV inverts a 2x3 matrix, to the last bit.
    inverse_determinant = 1.0 / (forward_x * forward_y)
    scale_x, scale_y = forward_y * inverse_determinant, forward_x * inverse_determinant
    shift_x, shift_y = scale_x * (forward_x * left), scale_y * (forward_y * top)
    return Placement(float(scale_x), float(shift_x), float(scale_y), float(shift_y))


def place_mask(mask: np.ndarray, where: Placement, *, width: int, height: int) -> PlacedMask:
    """The mask (127, 127) float32 as a frame shows it, fading to -1 at its edges.

    Where `values` does not reach, the frame holds -1.
    """
    x = _taps(where.scale_x, where.shift_x, width)
    y = _taps(where.scale_y, where.shift_y, height)
    bordered = np.pad(mask, 1, constant_values=OUTSIDE)
    above, below = bordered[y.index], bordered[y.index + 1]
    near, far = y.near[:, None], y.far[:, None]
    # Added in this order, and in float32, as the original adds them.
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
    """The least rotated box (4, 2) float32 around the largest piece of the mask, and the mask's area.

    None where no piece encloses more than 100 pixels.
    """
    target = (placed.values > threshold).astype(np.uint8)
    area = int(target.sum())
    if area <= MIN_AREA:  # an outline encloses less than the pixels that it runs along
        return None, area
    offset = (placed.left, placed.top)
    contours = cv2.findContours(target, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE, offset=offset)[-2]
    largest = max(contours, key=cv2.contourArea)
    if cv2.contourArea(largest) <= MIN_AREA:
        return None, area
    return canonical(cv2.boxPoints(cv2.minAreaRect(largest))), area
