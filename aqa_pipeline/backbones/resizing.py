"""Resize frames, and cut out their central squares.

A frame is uint8 RGB (height, width, channel). Sizes are given as width, height in pixels.
"""

import math
from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image

# The arguments are a frame, its new width and height.
Resized = Callable[[np.ndarray, int, int], np.ndarray]
# The arguments are a frame, its new width and height, and the side of the central square to return.
ResizedCenter = Callable[[np.ndarray, int, int, int], np.ndarray]
# The arguments are the sizes of a frame and of its center along an axis; the result is the center's start.
Start = Callable[[int, int], int]


def _rounded(size: int, side: int) -> int:
    # Python's rounding (half to even) is torchvision's: 115.5 -> 116, 114.5 -> 114.
    return round((size - side) / 2)


def _truncated(size: int, side: int) -> int:
    return (size - side) // 2  # 115.5 -> 115


def antialiased(frame: np.ndarray, width: int, height: int) -> np.ndarray:
    """Resize with Pillow's bilinear filter, which averages over dropped pixels, as the papers' code does.

    torchvision's filter on uint8 tensors differs from it by one gray level in some pixels of a thousand.
    """
    return _by_pillow(frame, width, height, Image.Resampling.BILINEAR)


def bicubic(frame: np.ndarray, width: int, height: int) -> np.ndarray:
    """Resize with Pillow's bicubic filter, which averages over dropped pixels too."""
    return _by_pillow(frame, width, height, Image.Resampling.BICUBIC)


def _by_pillow(frame: np.ndarray, width: int, height: int, resampling: Image.Resampling) -> np.ndarray:
    if frame.shape[:2] == (height, width):
        return np.ascontiguousarray(frame)
    return np.asarray(Image.fromarray(frame).resize((width, height), resampling))


def bilinear(frame: np.ndarray, width: int, height: int) -> np.ndarray:
    """Resize by interpolation between the four nearest pixels, as torchvision's video models do."""
    return cv2.resize(frame, (width, height), interpolation=cv2.INTER_LINEAR)


def antialiased_center(frame: np.ndarray, width: int, height: int, side: int) -> np.ndarray:
    """Return the central square of `antialiased`, bit for bit, without resizing columns far from it."""
    return _center_of(antialiased, frame, reach=1, width=width, height=height, side=side)


def bicubic_center(frame: np.ndarray, width: int, height: int, side: int) -> np.ndarray:
    """Return the central square of `bicubic`, bit for bit, without resizing columns far from it."""
    return _center_of(bicubic, frame, reach=2, width=width, height=height, side=side)


def antialiased_truncated_center(frame: np.ndarray, width: int, height: int, side: int) -> np.ndarray:
    """Return the central square of `antialiased`; half a pixel is cut off, as transformers does."""
    return _center_of(antialiased, frame, reach=1, width=width, height=height, side=side, start=_truncated)


def _center_of(
    resize: Resized,
    frame: np.ndarray,
    *,
    reach: int,
    width: int,
    height: int,
    side: int,
    start: Start = _rounded,
) -> np.ndarray:
    """Return the central square of the resized frame; `resize` reads `reach` columns on each side of one.

    The filter's weights repeat after `frame width / gcd` columns, which become `width / gcd` columns. A part
    of whole periods is therefore filtered with the same weights as the whole frame.
    """
    num_periods = math.gcd(frame.shape[1], width)
    taken, given = frame.shape[1] // num_periods, width // num_periods
    margin = reach + math.ceil(reach * given / taken)
    first = max(0, (start(width, side) - margin) // given)
    end = min(num_periods, math.ceil((start(width, side) + side + margin) / given))
    part = frame[:, first * taken : end * taken]
    if side > min(width, height) or part.shape[0] > part.shape[1]:  # Pillow filters tall frames' rows first
        return center(resize(frame, width, height), side, side, start)
    resized = resize(part, (end - first) * given, height)
    top, left = start(height, side), start(width, side) - first * given
    return np.ascontiguousarray(resized[top : top + side, left : left + side])


def bilinear_center(frame: np.ndarray, width: int, height: int, side: int) -> np.ndarray:
    """Return the central square of `bilinear`."""
    return center(bilinear(frame, width, height), side, side)


def bilinear_truncated_center(frame: np.ndarray, width: int, height: int, side: int) -> np.ndarray:
    """Return the central square of `bilinear`; half a pixel is cut off, as MMAction2 does."""
    return center(bilinear(frame, width, height), side, side, _truncated)


def center(frame: np.ndarray, width: int, height: int, start: Start = _rounded) -> np.ndarray:
    """Cut out the center as torchvision's CenterCrop does.

    Black is added where the frame is too small; of an odd number of pixels, the last one goes to the end.
    """
    missing_rows, missing_columns = max(0, height - frame.shape[0]), max(0, width - frame.shape[1])
    if missing_rows or missing_columns:
        rows = (missing_rows // 2, (missing_rows + 1) // 2)
        columns = (missing_columns // 2, (missing_columns + 1) // 2)
        frame = np.pad(frame, (rows, columns, (0, 0)))
    top, left = start(frame.shape[0], height), start(frame.shape[1], width)
    return np.ascontiguousarray(frame[top : top + height, left : left + width])
