"""Dynamic time warping: the cheapest way through two sequences that visits both in order.

Paper: Sakoe and Chiba, Dynamic programming algorithm optimization for spoken word recognition, IEEE TASSP
1978, without weights and without a band. What we do differently: a step that stays in one sequence costs
`detour` more, so that the path is straight where the distances do not tell one moment from another.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
DIAGONAL, DOWN, RIGHT = 0, 1, 2  # where the cheapest path to a pair comes from
BACK = {DIAGONAL: (1, 1), DOWN: (1, 0), RIGHT: (0, 1)}


def warping_path(distances: Floats, *, detour: float = 0.0) -> NDArray[np.int64]:
    """Return the cheapest path (pair, 2) from the first pair of steps to the last one.

    `distances` (time of a, time of b) are at least 0. Each pair of the path moves on by one step in a, in
    b, or in both. Of equally cheap moves, the one in both comes first.
    """
    num_a, num_b = distances.shape
    costs = np.full((num_a + 1, num_b + 1), np.inf)
    costs[0, 0] = 0.0
    came = np.zeros((num_a, num_b), dtype=np.int8)
    for diagonal in range(num_a + num_b - 1):  # all pairs whose indices have this sum, at once
        a = np.arange(max(0, diagonal - num_b + 1), min(diagonal, num_a - 1) + 1)
        b = diagonal - a
        ways = np.stack([costs[a, b], costs[a, b + 1] + detour, costs[a + 1, b] + detour])
        came[a, b] = ways.argmin(axis=0)
        costs[a + 1, b + 1] = ways.min(axis=0) + distances[a, b]
    return _trace(came)


def _trace(came: NDArray[np.int8]) -> NDArray[np.int64]:
    """Return the path that ends at the last pair."""
    a, b = came.shape[0] - 1, came.shape[1] - 1
    path = [(a, b)]
    while a or b:
        back_a, back_b = BACK[int(came[a, b])]
        a, b = a - back_a, b - back_b
        path.append((a, b))
    return np.array(path[::-1], dtype=np.int64)
