"""Frames at another size, and the central squares of them.

A frame is uint8 RGB, (height, width, channel); sizes are given as width, height.
"""

import math
from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image

# A frame, the width and height to resize it to, and the side of the central square to keep of that.
ResizedCenter = Callable[[np.ndarray, int, int, int], np.ndarray]


def antialiased(frame: np.ndarray, width: int, height: int) -> np.ndarray:
    """Pillow's bilinear filter, which averages over what it leaves out, as the papers' PyTorch code.

    torchvision's own filter on uint8 tensors differs from it by one gray level in some pixels in a thousand.
    """
    if frame.shape[:2] == (height, width):
        return np.ascontiguousarray(frame)
    return np.asarray(Image.fromarray(frame).resize((width, height), Image.Resampling.BILINEAR))


def bilinear(frame: np.ndarray, width: int, height: int) -> np.ndarray:
    """Between the four nearest pixels: OpenCV, and the video models of torchvision and pytorchvideo."""
    return cv2.resize(frame, (width, height), interpolation=cv2.INTER_LINEAR)


def antialiased_center(frame: np.ndarray, width: int, height: int, side: int) -> np.ndarray:
    """The central square of what `antialiased` gives, bit for bit; columns far from it are not resized.

    The filter's weights repeat after `frame width / gcd` columns, which become `width / gcd`: a part that
    begins and ends with a period is filtered with the very weights of the whole.
    """
    num_periods = math.gcd(frame.shape[1], width)
    taken, given = frame.shape[1] // num_periods, width // num_periods
    margin = 1 + math.ceil(given / taken)  # the filter reaches a column further, before or after the resizing
    first = max(0, (_start(width, side) - margin) // given)
    end = min(num_periods, math.ceil((_start(width, side) + side + margin) / given))
    part = frame[:, first * taken : end * taken]
    if side > min(width, height) or part.shape[0] > part.shape[1]:  # Pillow filters tall frames' rows first
        return center(antialiased(frame, width, height), side, side)
    resized = antialiased(part, (end - first) * given, height)
    top, left = _start(height, side), _start(width, side) - first * given
    return np.ascontiguousarray(resized[top : top + side, left : left + side])


def bilinear_center(frame: np.ndarray, width: int, height: int, side: int) -> np.ndarray:
    """The central square of what `bilinear` gives."""
    return center(bilinear(frame, width, height), side, side)


def center(frame: np.ndarray, width: int, height: int) -> np.ndarray:
    """torchvision's CenterCrop: black is added where the frame is smaller, an odd pixel of it at the end."""
    missing_rows, missing_columns = max(0, height - frame.shape[0]), max(0, width - frame.shape[1])
    if missing_rows or missing_columns:
        rows = (missing_rows // 2, (missing_rows + 1) // 2)
        columns = (missing_columns // 2, (missing_columns + 1) // 2)
        frame = np.pad(frame, (rows, columns, (0, 0)))
    top, left = _start(frame.shape[0], height), _start(frame.shape[1], width)
    return np.ascontiguousarray(frame[top : top + height, left : left + width])


def _start(size: int, side: int) -> int:
    # Python's rounding (half to even) is torchvision's: 115.5 -> 116, 114.5 -> 114.
    return round((size - side) / 2)
