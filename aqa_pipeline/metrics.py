"""How well predicted scores agree with the judges': pure functions on whole arrays.

The last axis is the videos; leading axes (bootstrap resamples) are kept, so that every metric here
can be given to `bootstrap_interval` as it is. Spearman's correlation is the field's metric; its averages
over classes are Fisher-z means, and R-l2 is that of CoRe (Yu et al., ICCV 2021), times 100.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

Metric = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]

# Resamples are drawn in portions: 10,000 of 353 videos at once would take 28 MB per intermediate array.
_RESAMPLES_AT_ONCE = 2_000


@dataclass(frozen=True)
class Interval:
    """A confidence interval `[low, high]`; resamples where the metric is undefined are counted, not used."""

    low: float
    high: float
    confidence: float
    num_resamples: int
    num_undefined: int = 0

    def covers(self, value: float) -> bool:
        """Whether the value lies inside; never where the interval is undefined (nan)."""
        return self.low <= value <= self.high


def spearman(predicted: ArrayLike, true: ArrayLike) -> NDArray[np.float64]:
    """Spearman's rank correlation over the last axis; ties share their average rank.

    nan where the predictions or the labels are all equal, or there are fewer than two videos:
    a constant has no order, so there is nothing to correlate.
    """
    predicted, true = _pair(predicted, true)
    return _pearson(rankdata(predicted, axis=-1), rankdata(true, axis=-1))


def mse(predicted: ArrayLike, true: ArrayLike) -> NDArray[np.float64]:
    """Mean squared error over the last axis, in squared units of the scores given."""
    predicted, true = _pair(predicted, true)
    return np.mean((predicted - true) ** 2, axis=-1)


def accuracy(predicted: ArrayLike, true: ArrayLike, *, threshold: float = 0.5) -> NDArray[np.float64]:
    """The share of videos over the last axis whose class, from the threshold on or below it, is right."""
    predicted, true = _pair(predicted, true)
    return np.mean((predicted >= threshold) == (true >= threshold), axis=-1)


def relative_l2(predicted: ArrayLike, true: ArrayLike, *, score_range: float) -> NDArray[np.float64]:
    """R-l2 x 100: `100 * mean(((predicted - true) / score_range)^2)` over the last axis.

    `score_range` is max - min of the labels that the caller counts by; CoRe takes the test labels'.
    """
    if not score_range > 0:
        raise ValueError(f"R-l2 needs a score range above 0, not {score_range}: are all labels equal?")
    return 100.0 * mse(predicted, true) / score_range**2


def fisher_z_mean(correlations: Sequence[float]) -> float:
    """`tanh(mean(atanh(rho)))`, the average over classes of AQA-7, Rhythmic Gymnastics and Fis-V.

    nan if one of them is nan. A correlation of exactly 1 has an infinite z and makes the mean 1.
    """
    values = np.asarray(correlations, dtype=np.float64)
    if values.size == 0 or np.any(np.abs(values) > 1):
        raise ValueError(f"a Fisher-z mean needs correlations in [-1, 1], not {list(correlations)}")
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.tanh(np.mean(np.arctanh(values))))


def bootstrap_interval(
    metric: Metric,
    predicted: ArrayLike,
    true: ArrayLike,
    *,
    num_resamples: int = 10_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Percentile bootstrap over videos: pairs are drawn with replacement, the metric taken of each draw.

    With predictions `seed video` of several seeds, each draw also takes seeds with replacement and the mean
    of their metrics: the interval of that mean, over videos and seeds. The same `seed` gives the same
    interval. Undefined where the metric is nan in every resample.
    """
    predicted, true = np.asarray(predicted, dtype=np.float64), np.asarray(true, dtype=np.float64)
    predicted, true = _pair(predicted, np.broadcast_to(true, predicted.shape))
    if not 0 < confidence < 1 or num_resamples < 1:
        raise ValueError(
            f"a bootstrap needs 0 < confidence < 1 and resamples, not {confidence} and {num_resamples}"
        )
    rng = np.random.default_rng(seed)
    portions = [
        _resampled(metric, np.atleast_2d(predicted), np.atleast_2d(true), rng=rng, num=num)
        for num in _portions(num_resamples)
    ]
    values = np.concatenate(portions)
    defined = values[~np.isnan(values)]
    tail = (1 - confidence) / 2
    low, high = np.quantile(defined, [tail, 1 - tail]) if defined.size else (np.nan, np.nan)
    return Interval(float(low), float(high), confidence, num_resamples, int(values.size - defined.size))


def _portions(num_resamples: int) -> list[int]:
    """[2000, 2000, ..., the rest]."""
    whole, rest = divmod(num_resamples, _RESAMPLES_AT_ONCE)
    return [_RESAMPLES_AT_ONCE] * whole + [rest] * (rest > 0)


def _resampled(
    metric: Metric,
    predicted: NDArray[np.float64],
    true: NDArray[np.float64],
    *,
    rng: np.random.Generator,
    num: int,
) -> NDArray[np.float64]:
    """The metric in `num` draws of videos, averaged over as many draws of the seeds as there are seeds."""
    num_seeds, num_videos = predicted.shape
    videos = rng.integers(0, num_videos, size=(num, num_videos))
    by_seed = np.stack([metric(p[videos], t[videos]) for p, t in zip(predicted, true, strict=True)])
    if num_seeds == 1:
        return by_seed[0]
    seeds = rng.integers(0, num_seeds, size=(num_seeds, num))
    return np.take_along_axis(by_seed, seeds, axis=0).mean(axis=0)


def _pearson(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    x = x - x.mean(axis=-1, keepdims=True)
    y = y - y.mean(axis=-1, keepdims=True)
    scale = np.sqrt(np.sum(x * x, axis=-1) * np.sum(y * y, axis=-1))
    with np.errstate(divide="ignore", invalid="ignore"):
        # Rounding may carry a perfect correlation beyond 1 by one unit in the last place.
        return np.clip(np.sum(x * y, axis=-1) / scale, -1.0, 1.0)


def _pair(predicted: ArrayLike, true: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    predicted = np.asarray(predicted, dtype=np.float64)
    true = np.asarray(true, dtype=np.float64)
    if predicted.shape != true.shape or predicted.ndim == 0 or predicted.shape[-1] == 0:
        raise ValueError(f"expected one prediction per label, got shapes {predicted.shape} and {true.shape}")
    if not (np.isfinite(predicted).all() and np.isfinite(true).all()):
        raise ValueError("predictions and labels must be finite numbers")
    return predicted, true
