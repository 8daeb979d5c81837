"""From the time of one attempt to the time of the other: a line through pairs of moments."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TimeMap:
    """Pairs of moments that belong together: `here` (pair,) and `there` (pair,), both rising, in seconds.

    Between two pairs, time runs evenly. Before the first and after the last pair, both run equally fast.
    `how` says in words what the pairs come from.
    """

    here: Floats
    there: Floats
    how: str

    def __call__(self, seconds: float) -> float:
        """Return the time of the other attempt, in seconds; it may lie outside of that video."""
        if seconds <= self.here[0]:
            return float(self.there[0] + seconds - self.here[0])
        if seconds >= self.here[-1]:
            return float(self.there[-1] + seconds - self.here[-1])
        return float(np.interp(seconds, self.here, self.there))


def from_the_start(how: str = "both from their start") -> TimeMap:
    """Return the map of two videos that begin together and run equally fast."""
    return TimeMap(np.zeros(1), np.zeros(1), how)


def map_of_path(path: NDArray[np.int64], here: Floats, there: Floats, how: str) -> TimeMap:
    """Return the map of a warping path (pair, 2) between steps at `here` (time,) and at `there` (time,).

    A step of the first attempt that belongs to several of the other is put to the mean of their times. What
    one attempt shows before the other begins, or after it ends, belongs to nothing: there both run equally
    fast.
    """
    inner = _without_ends(path)
    steps, first = np.unique(inner[:, 0], return_index=True)
    sums = np.add.reduceat(there[inner[:, 1]], first)
    return TimeMap(here[steps], sums / np.diff(np.append(first, len(inner))), how)


def _without_ends(path: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the path from the last pair with a first step to the first pair with a last step."""
    begin = int(np.flatnonzero((path == path[0]).any(axis=1))[-1])
    end = int(np.flatnonzero((path == path[-1]).any(axis=1))[0])
    return path[begin : end + 1] if begin <= end else path
