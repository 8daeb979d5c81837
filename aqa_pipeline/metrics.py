"""Compute how well predicted scores agree with the scores of judges: pure functions on whole arrays.

The last axis is the videos; leading axes are kept. Spearman's correlation is the metric of the field. Its
average over sports or apparatus is a Fisher-z mean. R-l2 is that of CoRe (Yu et al., ICCV 2021), times 100.
`heads.evaluation.bootstrap` makes the intervals, except those of shares.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

Metric = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]

FEWEST_VIDEOS = 10  # with fewer, no interval: a bootstrap of four correctly ordered videos gives [1, 1]
TOO_FEW = "too few videos"


@dataclass(frozen=True)
class Interval:
    """A confidence interval `[low, high]`.

    `num_undefined` counts the resamples in which the metric is undefined; they are not used. Both ends are
    nan if there is no interval; `why_none` says why.
    """

    low: float
    high: float
    confidence: float
    num_resamples: int
    num_undefined: int = 0

    @classmethod
    def of_too_few(cls, confidence: float = 0.95) -> "Interval":
        """Return an interval without ends, for fewer than `FEWEST_VIDEOS` videos."""
        return cls(math.nan, math.nan, confidence, num_resamples=0)

    @classmethod
    def undefined(cls, confidence: float = 0.95) -> "Interval":
        """Return an interval without ends, for an undefined metric."""
        return cls(math.nan, math.nan, confidence, num_resamples=1, num_undefined=1)

    @property
    def why_none(self) -> str:
        """Return why there is no interval, "too few videos" or "undefined"; "" if there is one."""
        if not math.isnan(self.low):
            return ""
        return "undefined" if self.num_resamples else TOO_FEW

    def covers(self, value: float) -> bool:
        """Return whether the value lies inside; False if there is no interval."""
        return self.low <= value <= self.high


def spearman(predicted: ArrayLike, true: ArrayLike) -> NDArray[np.float64]:
    """Return Spearman's rank correlation over the last axis; ties share their average rank.

    The result is nan for fewer than two videos, and where all predictions or all labels are equal, because a
    constant has no order.
    """
    predicted, true = _pair(predicted, true)
    return _pearson(rankdata(predicted, axis=-1), rankdata(true, axis=-1))


def mse(predicted: ArrayLike, true: ArrayLike) -> NDArray[np.float64]:
    """Return the mean squared error over the last axis, in squared units of the scores."""
    predicted, true = _pair(predicted, true)
    return np.mean((predicted - true) ** 2, axis=-1)


def accuracy(predicted: ArrayLike, true: ArrayLike, *, threshold: float = 0.5) -> NDArray[np.float64]:
    """Return the share of videos, over the last axis, that lie on the correct side of the threshold."""
    predicted, true = _pair(predicted, true)
    return np.mean((predicted >= threshold) == (true >= threshold), axis=-1)


def relative_l2(predicted: ArrayLike, true: ArrayLike, *, score_range: float) -> NDArray[np.float64]:
    """Return R-l2 x 100: `100 * mean(((predicted - true) / score_range)^2)` over the last axis.

    `score_range` is the range (max - min) of labels; CoRe uses the labels of the test set. Raises
    `ValueError` for a range of 0.
    """
    if not score_range > 0:
        raise ValueError(f"R-l2 needs a score range above 0, not {score_range}: are all labels equal?")
    return 100.0 * mse(predicted, true) / score_range**2


def fisher_z_mean(correlations: Sequence[float]) -> float:
    """Return `tanh(mean(atanh(rho)))`, the average of correlations over sports or apparatus.

    The mean is nan if a correlation is nan. It is 1 if a correlation is exactly 1, because its z is infinite.
    Raises `ValueError` for no correlations, and for values outside [-1, 1].
    """
    values = np.asarray(correlations, dtype=np.float64)
    if values.size == 0 or np.any(np.abs(values) > 1):
        raise ValueError(f"a Fisher-z mean needs correlations in [-1, 1], not {list(correlations)}")
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.tanh(np.mean(np.arctanh(values))))


def wilson_interval(num_right: int, num_videos: int, *, confidence: float = 0.95) -> Interval:
    """Return Wilson's interval of the share `num_right / num_videos` (J. Am. Stat. Assoc. 22, 1927).

    If all videos are correct, it is not a single point, unlike a bootstrap: 14 of 14 gives [0.785, 1].
    """
    from scipy.stats import binomtest

    found = binomtest(num_right, num_videos).proportion_ci(confidence, method="wilson")
    return Interval(float(found.low), float(found.high), confidence, num_resamples=0)


def _pearson(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    x = x - x.mean(axis=-1, keepdims=True)
    y = y - y.mean(axis=-1, keepdims=True)
    scale = np.sqrt(np.sum(x * x, axis=-1) * np.sum(y * y, axis=-1))
    with np.errstate(divide="ignore", invalid="ignore"):
        # Rounding may make a perfect correlation larger than 1 by one unit in the last place.
        return np.clip(np.sum(x * y, axis=-1) / scale, -1.0, 1.0)


def _pair(predicted: ArrayLike, true: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    predicted = np.asarray(predicted, dtype=np.float64)
    true = np.asarray(true, dtype=np.float64)
    if predicted.shape != true.shape or predicted.ndim == 0 or predicted.shape[-1] == 0:
        raise ValueError(f"expected one prediction per label, got shapes {predicted.shape} and {true.shape}")
    if not (np.isfinite(predicted).all() and np.isfinite(true).all()):
        raise ValueError("predictions and labels must be finite numbers")
    return predicted, true
