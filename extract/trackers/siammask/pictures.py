"""The square pictures that the network sees: cut around a place, filled up with the frame's mean colour."""

import math

import cv2
import numpy as np

TEMPLATE_SIZE, SEARCH_SIZE = 127, 255


def context_size(size: np.ndarray) -> float:
    """Side of the square that holds a target of (width, height) and half its mean side on each side."""
    # Not `half = size.sum() / 2`: the official order of operations, bit for bit.
    width = size[0] + 0.5 * (size[0] + size[1])
    height = size[1] + 0.5 * (size[0] + size[1])
    return math.sqrt(width * height)


def search_size(context: float) -> float:
    """Side of the search square around a target of that context, in pixels of the frame."""
    pad = ((SEARCH_SIZE - TEMPLATE_SIZE) / 2) / (TEMPLATE_SIZE / context)
    return context + 2 * pad


def cut_square(frame: np.ndarray, centre: np.ndarray, side: int, fill: np.ndarray) -> np.ndarray:
    """The `side` x `side` pixels around `centre` (x, y) of a uint8 frame (H, W, 3).

    Beyond the frame they are `fill`. Edges are rounded half to even, as Python does; `fill` is cut down to
    whole numbers.
    """
    square = np.empty((side, side, 3), np.uint8)
    square[:] = fill.astype(np.uint8)
    rows, rows_there = _overlap(float(centre[1]), side, frame.shape[0])
    columns, columns_there = _overlap(float(centre[0]), side, frame.shape[1])
    square[rows_there, columns_there] = frame[rows, columns]
    return square


def _overlap(centre: float, side: int, length: int) -> tuple[slice, slice]:
    """Where the square lies on one axis: `[start, stop)` within the frame, and within the square."""
    first = round(centre - (side + 1) / 2)
    start, stop = max(first, 0), min(first + side, length)
    stop = max(stop, start)
    return slice(start, stop), slice(start - first, stop - first)


def resized(square: np.ndarray, size: int) -> np.ndarray:
    """The square as the network sees it: (3, size, size) float32, 0..255."""
    if len(square) != size:
        square = cv2.resize(square, (size, size))
    return np.ascontiguousarray(square.transpose(2, 0, 1), np.float32)  # (H, W, C) -> (C, H, W)
