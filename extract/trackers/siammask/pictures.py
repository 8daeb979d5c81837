"""Cut the square pictures that the network gets out of a frame, filled with its mean color outside."""

import math

import cv2
import numpy as np

TEMPLATE_SIZE, SEARCH_SIZE = 127, 255


def context_size(size: np.ndarray) -> float:
    """Return the side in pixels of the template's square: the target (width, height) with a margin.

    The margin on each side is half of the target's mean side.
    """
    # The official order of operations, for the same bits; `size.sum() / 2` would differ.
    width = size[0] + 0.5 * (size[0] + size[1])
    height = size[1] + 0.5 * (size[0] + size[1])
    return math.sqrt(width * height)


def search_size(context: float) -> float:
    """Return the side of the search square for a `context_size`, in pixels of the frame."""
    pad = ((SEARCH_SIZE - TEMPLATE_SIZE) / 2) / (TEMPLATE_SIZE / context)
    return context + 2 * pad


def cut_square(frame: np.ndarray, center: np.ndarray, side: int, fill: np.ndarray) -> np.ndarray:
    """Return `side` x `side` pixels around `center` (x, y) of a uint8 frame (height, width, 3).

    Pixels outside the frame are `fill`, truncated to integers. Edges are rounded half to even.
    """
    square = np.empty((side, side, 3), np.uint8)
    square[:] = fill.astype(np.uint8)
    rows, rows_there = _overlap(float(center[1]), side, frame.shape[0])
    columns, columns_there = _overlap(float(center[0]), side, frame.shape[1])
    square[rows_there, columns_there] = frame[rows, columns]
    return square


def _overlap(center: float, side: int, length: int) -> tuple[slice, slice]:
    """Return where the square and the frame overlap on one axis, `[start, stop)` in each of them."""
    first = round(center - (side + 1) / 2)
    start, stop = max(first, 0), min(first + side, length)
    stop = max(stop, start)
    return slice(start, stop), slice(start - first, stop - first)


def resized(square: np.ndarray, size: int) -> np.ndarray:
    """Return the square as the network gets it: (3, size, size) float32, 0..255."""
    if len(square) != size:
        square = cv2.resize(square, (size, size))
    return np.ascontiguousarray(square.transpose(2, 0, 1), np.float32)  # to (channel, height, width)
