"""Choose the largest person of a frame, and crop a person out of it."""

import math

import numpy as np


def largest_person(boxes: np.ndarray) -> np.ndarray | None:
    """Return the row of the largest area in (person, 5) boxes, the first of equals; None without persons."""
    if not len(boxes):
        return None
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    row: np.ndarray = boxes[int(areas.argmax())]
    return row


def crop_person(frame: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Return a copy of every pixel that the box x1, y1, x2, y2 touches, clipped to the frame.

    `frame` is (height, width, channel). Edges are rounded outwards: x1=10.7, x2=20.2 -> columns 10 to 20. A
    box outside the frame or without area gives the nearest column or row of pixels, never an empty crop.
    """
    left, right = _touched(float(box[0]), float(box[2]), frame.shape[1])
    top, bottom = _touched(float(box[1]), float(box[3]), frame.shape[0])
    return frame[top:bottom, left:right].copy()


def _touched(low: float, high: float, size: int) -> tuple[int, int]:
    """Return `[start, stop)` of the pixels between two edges, at least one pixel."""
    start = min(max(math.floor(low), 0), size - 1)
    return start, min(max(math.ceil(high), start + 1), size)
