"""Match the persons of a frame with those seen before. Crops and tubes both follow the athlete with this.

Distances are in multiples of the last box's longer side, so that they hold for any resolution and camera.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

REACH, REACH_PER_SECOND = 0.5, 1.0  # how far a center may move: at once, and more for each second unseen
LARGEST_CHANGE = 6.0  # the largest ratio of two areas: the same body stretched out and curled up
GAP_SECONDS = 2.0  # after so long unseen, somebody else may be taken for the athlete
REMEMBERED_SECONDS = 4.0  # how long other persons are remembered: detectors miss them now and then
IMPOSSIBLE = 1e6  # a cost above all possible ones


@dataclass(frozen=True, eq=False)
class Seen:
    """A person's box x1 y1 x2 y2 in pixels, and the frame in which it was seen."""

    box: np.ndarray
    frame_index: int


@dataclass(eq=False)
class People:
    """The athlete and the other persons of one video, where each was last seen.

    All persons of a frame are matched at once. A known person beside a hidden athlete is then matched with
    their own last box and not taken for the athlete.
    """

    fps: float
    athlete: Seen
    others: list[Seen] = field(default_factory=list)

    def match(self, frame_index: int, persons: np.ndarray) -> np.ndarray | None:
        """Return the row of (person, 5) that continues the athlete's box, or None; remember the others."""
        known = [self.athlete, *self.others]
        costs = np.array([self._costs(each, frame_index, persons) for each in known]).reshape(len(known), -1)
        pairs = {
            int(row): int(column)
            for row, column in zip(*linear_sum_assignment(costs), strict=True)
            if costs[row, column] < IMPOSSIBLE
        }
        again = pairs.pop(0, None)
        self.others = self._remembered(frame_index, skip={row - 1 for row in pairs})
        self.others += [Seen(box, frame_index) for at, box in enumerate(persons) if at != again]
        return None if again is None else persons[again]

    def confirm(self, frame_index: int, person: np.ndarray, box: np.ndarray | None = None) -> None:
        """Set the athlete to that person of the frame. `box`, if given, replaces the person's box."""
        self.athlete = Seen(person if box is None else box, frame_index)
        self.others = [each for each in self.others if not np.array_equal(each.box, person)]

    def unseen_seconds(self, frame_index: int) -> float:
        """Return for how many seconds the athlete has not been seen."""
        return (frame_index - self.athlete.frame_index) / self.fps

    def _remembered(self, frame_index: int, *, skip: set[int]) -> list[Seen]:
        oldest = frame_index - REMEMBERED_SECONDS * self.fps
        return [each for at, each in enumerate(self.others) if at not in skip and each.frame_index >= oldest]

    def _costs(self, seen: Seen, frame_index: int, persons: np.ndarray) -> list[float]:
        seconds = (frame_index - seen.frame_index) / self.fps
        return [continuation_cost(seen.box, person, seconds=seconds) for person in persons]


def continuation_cost(last: np.ndarray, box: np.ndarray, *, seconds: float) -> float:
    """Return the cost of `box` as the continuation of `last`, `seconds` later.

    The cost is the distance of the centers, in the longer sides of `last`, plus half the absolute log ratio
    of the areas. It is `IMPOSSIBLE` beyond the reach.
    """
    moved = float(np.hypot(*_center(box) - _center(last))) / float(max(last[2] - last[0], last[3] - last[1]))
    change = abs(float(np.log(max(area(box), 1e-9) / max(area(last), 1e-9))))
    if moved > REACH + REACH_PER_SECOND * seconds or change > np.log(LARGEST_CHANGE):
        return IMPOSSIBLE
    return moved + change / 2


def overlap(box: np.ndarray, other: np.ndarray) -> float:
    """Return the intersection over the union of two boxes x1 y1 x2 y2."""
    sides = np.minimum(box[2:4], other[2:4]) - np.maximum(box[:2], other[:2])
    shared = float(np.prod(np.maximum(sides, 0)))
    return shared / max(area(box) + area(other) - shared, 1e-9)


def most_overlapping(box: np.ndarray, persons: Sequence[np.ndarray] | np.ndarray) -> np.ndarray | None:
    """Return the person that overlaps the box most; None if there are no persons."""
    return max(persons, key=lambda person: overlap(box, person), default=None)


def area(box: np.ndarray) -> float:
    """Return the area of a box x1 y1 x2 y2 in square pixels."""
    return float((box[2] - box[0]) * (box[3] - box[1]))


def _center(box: np.ndarray) -> np.ndarray:
    middle: np.ndarray = (box[:2] + box[2:4]) / 2
    return middle
