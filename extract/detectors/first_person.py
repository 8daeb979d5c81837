"""Choose the athlete in a video's first frame with persons: the largest person, or the central one.

`pointed` is the person whom somebody pointed at (`pointed.py`), and the largest in a video where nobody did.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np

from extract.detectors.person_boxes import largest_person

Start = Literal["largest", "central", "pointed"]


def central_person(boxes: np.ndarray, *, width: int, height: int) -> np.ndarray | None:
    """Return the row of (person, 5) boxes whose center is nearest to the frame's; the first of equals.

    Return None if there are no persons. `width` and `height` of the frame are in pixels.
    """
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
    "pointed": _largest,
}


def chosen_by(start: Start) -> str:
    """Return in a word how another person is chosen once the athlete is gone."""
    return "largest" if start == "pointed" else start
