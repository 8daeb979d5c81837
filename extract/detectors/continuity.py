"""Which person of a frame is the one that was seen before: crops and tubes follow one athlete alike.

Distances are in sizes of the last box, its longer side, so that they hold for any picture and any camera.
"""

import numpy as np

REACH, REACH_PER_SECOND = 0.5, 1.0  # sizes that a center moves: at once, and for every second since
LARGEST_CHANGE = 6.0  # of a box's area: a body stretched out and curled up
GAP_SECONDS = 2.0  # so long the athlete may be unseen before somebody else is taken


def overlap(box: np.ndarray, other: np.ndarray) -> float:
    """Return the intersection over the union of two boxes x1 y1 x2 y2."""
    sides = np.minimum(box[2:4], other[2:4]) - np.maximum(box[:2], other[:2])
    shared = float(np.prod(np.maximum(sides, 0)))
    return shared / max(area(box) + area(other) - shared, 1e-9)


def area(box: np.ndarray) -> float:
    """Return the area of a box x1 y1 x2 y2."""
    return float((box[2] - box[0]) * (box[3] - box[1]))


def continuing_person(persons: np.ndarray, last: np.ndarray, *, seconds: float) -> np.ndarray | None:
    """Return the row of (n, 5) persons that continues the box `last` after so many seconds, if one does.

    It is the nearest one, a change of size counted as a distance, among those in reach.
    """
    size = float(max(last[2] - last[0], last[3] - last[1]))
    reach = REACH + REACH_PER_SECOND * seconds
    best, least = None, np.inf
    for person in persons:
        moved = float(np.hypot(*center(person) - center(last))) / size
        change = abs(float(np.log(max(area(person), 1e-9) / area(last))))
        cost = moved + change / 2
        if moved <= reach and change <= np.log(LARGEST_CHANGE) and cost < least:
            best, least = person, cost
    return best


def center(box: np.ndarray) -> np.ndarray:
    """Return the center x, y of a box x1 y1 x2 y2."""
    middle: np.ndarray = (box[:2] + box[2:4]) / 2
    return middle
