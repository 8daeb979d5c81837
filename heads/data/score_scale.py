"""Raw judge scores and the numbers that heads work in: [0, 1] of a range, deviations, or standard scores."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aqa_pipeline.errors import RunError
from aqa_pipeline.records import Target
from heads.recipes import Unit

# A sigmoid never reaches 0 or 1: bounds that come from labels leave room on both sides.
MARGIN = 0.1


@dataclass(frozen=True)
class ScoreScale:
    """Raw `low` and `high` map to 0 and 1."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(
                f"a score scale has a range: expected low < high, got {self.low} and {self.high}"
            )

    def normalise(self, raw: ArrayLike) -> NDArray[np.float64]:
        """Return the normalized scores of raw ones."""
        return (np.asarray(raw, dtype=np.float64) - self.low) / (self.high - self.low)

    def restore(self, normalised: ArrayLike) -> NDArray[np.float64]:
        """Return the raw scores of normalized ones."""
        return np.asarray(normalised, dtype=np.float64) * (self.high - self.low) + self.low

    def times(self, factor: float) -> "ScoreScale":
        """Return the scale of the raw scores multiplied by `factor`."""
        return ScoreScale(self.low * factor, self.high * factor)


def scale_of(target: Target, training_labels: NDArray[np.float64], *, unit: Unit = "range") -> ScoreScale:
    """Return the scale of a target: its own bounds, or 10 % of the range beyond the training labels.

    With the unit "deviation" scores are divided by the deviation of the training labels, and not shifted.
    With "standard" their mean is subtracted first, so that they have mean 0 and deviation 1. With "25-points"
    they are divided by 25.
    Raises `RunError` for bounds without a range.
    """
    low, high = _bounds(target, training_labels, unit=unit)
    if not low < high:
        raise RunError(
            f"a score scale from {low} to {high} has no range: expected low < high. "
            "Are all training labels equal?"
        )
    return ScoreScale(low, high)


def _bounds(target: Target, training_labels: NDArray[np.float64], *, unit: Unit) -> tuple[float, float]:
    if unit == "25-points":
        return 0.0, 25.0
    if unit == "deviation":
        return 0.0, float(training_labels.std())
    if unit == "standard":
        mean = float(training_labels.mean())
        return mean, mean + float(training_labels.std())
    lowest, highest = float(training_labels.min()), float(training_labels.max())
    margin = MARGIN * (highest - lowest)
    low = lowest - margin if target.low is None else target.low
    high = highest + margin if target.high is None else target.high
    return low, high
