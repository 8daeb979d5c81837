"""Who is the athlete in a frame of which nothing is known before: the largest person, or the central one."""

from collections.abc import Callable
from typing import Literal

import numpy as np

from extract.detectors.person_boxes import largest_person

Start = Literal["largest", "central"]


def central_person(boxes: np.ndarray, *, width: int, height: int) -> np.ndarray | None:
    """The row of (n, 5) boxes whose centre is nearest to that of the frame, the first of equals."""
    if not len(boxes):
        return None
    offsets = (boxes[:, :2] + boxes[:, 2:4]) / 2 - np.array([width, height]) / 2
    row: np.ndarray = boxes[int(np.hypot(*offsets.T).argmin())]
    return row


def _largest(boxes: np.ndarray, frame: np.ndarray) -> np.ndarray | None:
    return largest_person(boxes)


def _central(boxes: np.ndarray, frame: np.ndarray) -> np.ndarray | None:
    return central_person(boxes, width=frame.shape[1], height=frame.shape[0])


CHOOSERS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray | None]] = {
    "largest": _largest,
    "central": _central,
}
