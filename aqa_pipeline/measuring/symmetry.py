"""How much the angles of the left side differ from those of the right side over a span."""

import numpy as np
from scipy import stats

from aqa_pipeline.measuring.fact import MeasuredFact
from aqa_pipeline.measuring.pose_series import Floats, PoseSeries
from aqa_pipeline.plurals import counted
from aqa_pipeline.poses.features import ANGLES

FEWEST_STEPS = 10  # with fewer, the correlation of neighbors is not known well enough
MOST_CORRELATION = 0.99
MOST_DEGREES = 180.0  # two angles from 0 to 180 cannot differ by more
LEVEL = 0.95


def symmetry(series: PoseSeries, start: float, stop: float) -> list[MeasuredFact]:
    """Return the mean of left minus right of each angle in degrees, over the poses in [start, stop) seconds.

    Only poses that show both sides count. There is no value for fewer than ten of them.
    """
    is_in = (start <= series.seconds) & (series.seconds < stop)
    return [_fact(series, joint, is_in) for joint in ANGLES]


def _fact(series: PoseSeries, joint: str, is_in: np.ndarray) -> MeasuredFact:
    left, right = (np.abs(series.angles[f"{side} {joint}"][is_in]) for side in ("left", "right"))
    differences = (left - right)[np.isfinite(left - right)]
    title = f"{joint}, left minus right"
    rests_on = f"{counted(len(differences), 'pose')} of {len(left)} show both sides"
    if len(differences) < FEWEST_STEPS:
        return MeasuredFact(title, "degrees", f"{rests_on}; {FEWEST_STEPS} are needed")
    mean, half = mean_of_steps(differences)
    low, high = max(mean - half, -MOST_DEGREES), min(mean + half, MOST_DEGREES)
    return MeasuredFact(title, "degrees", rests_on, mean, low, high)


def mean_of_steps(values: Floats) -> tuple[float, float]:
    """Return the mean of values (step) and half the width of its 95 % interval.

    Neighboring steps resemble each other, so that n of them tell as much as n (1 - r) / (1 + r) independent
    ones, where r is the correlation of neighbors, corrected for its bias in short series (Marriott and Pope,
    Biometrika 1954): r + (1 + 4 r) / n. A negative one counts as 0.
    """
    n, around = len(values), values - values.mean()
    total = float(around @ around)
    if total == 0:
        return float(values.mean()), 0.0
    r = float(around[1:] @ around[:-1]) / total
    r = float(np.clip(r + (1 + 4 * r) / n, 0, MOST_CORRELATION))
    independent = max(n * (1 - r) / (1 + r), 2.0)
    error = np.sqrt(total / (n - 1) / independent)
    return float(values.mean()), float(stats.t.ppf((1 + LEVEL) / 2, independent - 1) * error)
