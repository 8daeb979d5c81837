"""The random error of one value of a series, from its neighbors in time.

If the series were a line over three neighboring steps, the middle value would lie on the line between the
other two. What it lies beside has the variance s^2 (1 + w^2 + (1 - w)^2), where s is the deviation of one
value and w the place between the two. The mean over the window estimates s^2. A curve also counts as scatter:
the faster the movement and the rarer the poses, the wider the interval.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import stats

REACH = 3  # steps before and after
LONGEST_GAP = 1.5  # in usual gaps between steps: beyond a longer one, poses are no neighbors
FEWEST_STEPS = 4  # two residuals: from one alone, the interval is too wide to be of use
LEVEL = 0.95

Floats = NDArray[np.float64]


def half_width(seconds: Floats, values: Floats, at: int) -> tuple[float, int] | None:
    """Return half the width of the 95 % interval of `values[at]`, and the number of steps it rests on.

    `values` (step) are angles in degrees, nan where there is none; `seconds` (step) are their times. Return
    None if fewer than four neighboring steps have a value.
    """
    window = _neighbors(seconds, values, at)
    if window.stop - window.start < FEWEST_STEPS:
        return None
    times, angles = seconds[window], np.unwrap(values[window], period=360)
    place = (times[1:-1] - times[:-2]) / (times[2:] - times[:-2])
    beside = angles[1:-1] - (1 - place) * angles[:-2] - place * angles[2:]
    squares = beside**2 / (1 + place**2 + (1 - place) ** 2)
    deviation = float(np.sqrt(squares.mean()))
    return float(stats.t.ppf((1 + LEVEL) / 2, _degrees(len(squares)))) * deviation, len(times)


def _neighbors(seconds: Floats, values: Floats, at: int) -> slice:
    """Return the steps around `at` without a gap, at most `REACH` to each side."""
    usual = float(np.median(np.diff(seconds))) if len(seconds) > 1 else 0.0

    def reach(direction: int) -> int:
        step = at
        while abs(step + direction - at) <= REACH and 0 <= step + direction < len(seconds):
            following = step + direction
            is_near = abs(seconds[following] - seconds[step]) <= LONGEST_GAP * usual
            if not (is_near and np.isfinite(values[following])):
                break
            step = following
        return step

    return slice(reach(-1), reach(1) + 1)


def _degrees(residuals: int) -> float:
    """Return the degrees of freedom of a mean of squares of overlapping second differences.

    n^2 / sum of r_ij^2, with their correlations r = -4/6 of neighbors and 1/6 of next ones (white noise).
    """
    correlated = residuals + 2 * max(residuals - 1, 0) * (4 / 6) ** 2 + 2 * max(residuals - 2, 0) / 36
    return residuals**2 / correlated
