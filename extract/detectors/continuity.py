"""Which person of a frame is the one that was seen before: crops and tubes follow one athlete alike.

Distances are in sizes of the last box, its longer side, so that they hold for any picture and any camera.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

REACH, REACH_PER_SECOND = 0.5, 1.0  # sizes that a center moves: at once, and for every second since
LARGEST_CHANGE = 6.0  # of a box's area: a body stretched out and curled up
GAP_SECONDS = 2.0  # so long the athlete may be unseen before somebody else is taken
REMEMBERED_SECONDS = 4.0  # so long the others are known: detectors miss them, too
IMPOSSIBLE = 1e6  # a cost beyond all others


@dataclass(frozen=True, eq=False)
class Seen:
    """A person's box x1 y1 x2 y2 and the frame that showed it."""

    box: np.ndarray
    frame_index: int


@dataclass(eq=False)
class People:
    """The athlete and the others of one video, as last seen.

    All persons of a frame are matched at once, so that one who stood beside a hidden athlete is known for who
    they are.
    """

    fps: float
    athlete: Seen
    others: list[Seen] = field(default_factory=list)

    def match(self, frame_index: int, persons: np.ndarray) -> np.ndarray | None:
        """Return the row of (n, 5) persons who continues the athlete, if one does; remember the others."""
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
        """Take that person of the frame for the athlete, in `box` where a tracker knows better."""
        self.athlete = Seen(person if box is None else box, frame_index)
        self.others = [each for each in self.others if not np.array_equal(each.box, person)]

    def unseen_seconds(self, frame_index: int) -> float:
        """Return how long the athlete has not been seen."""
        return (frame_index - self.athlete.frame_index) / self.fps

    def _remembered(self, frame_index: int, *, skip: set[int]) -> list[Seen]:
        oldest = frame_index - REMEMBERED_SECONDS * self.fps
        return [each for at, each in enumerate(self.others) if at not in skip and each.frame_index >= oldest]

    def _costs(self, seen: Seen, frame_index: int, persons: np.ndarray) -> list[float]:
        seconds = (frame_index - seen.frame_index) / self.fps
        return [continuation_cost(seen.box, person, seconds=seconds) for person in persons]


def continuation_cost(last: np.ndarray, box: np.ndarray, *, seconds: float) -> float:
    """Return how far a box lies from the last one, a change of size counted in; IMPOSSIBLE beyond reach."""
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
    """Return the person that overlaps the box most."""
    return max(persons, key=lambda person: overlap(box, person), default=None)


def area(box: np.ndarray) -> float:
    """Return the area of a box x1 y1 x2 y2."""
    return float((box[2] - box[0]) * (box[3] - box[1]))


def _center(box: np.ndarray) -> np.ndarray:
    middle: np.ndarray = (box[:2] + box[2:4]) / 2
    return middle
