"""The interval around a predicted score, from the errors on the test set and the spread of the seeds.

    half = sqrt(q^2 + s^2 / K)

`q` is the split-conformal quantile of the absolute test residuals of the seeds' mean prediction: the k-th
smallest of n, k = ceil(0.9 (n + 1)) (Papadopoulos et al., ECML 2002; Lei et al., JASA 2018). Fewer than 9
test videos have no 90 % quantile: then `q` is the largest residual, with coverage n / (n + 1). `s` is the
sample standard deviation of the K seeds on this video, so seeds that disagree widen the interval. The
residuals already contain an average seed error, so the interval is rather too wide than too narrow. The
coverage holds for videos from the distribution of the test set. Runs that keep the epoch that is best on the
test set (`best-on-test`) have too small residuals, and so too narrow intervals.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from aqa_pipeline.records import Target

COVERAGE = 0.9


@dataclass(frozen=True)
class ScoreInterval:
    """`[low, high]` on the raw scale, within the target's bounds.

    A share `coverage` of videos lies inside.
    """

    low: float
    high: float
    half_width: float
    coverage: float
    num_residuals: int

    @property
    def decimals(self) -> int:
        """The decimals to print a score with: three significant digits of the half width, 12.7 or 0.0431."""
        return max(0, 2 - math.floor(math.log10(self.half_width))) if self.half_width > 0 else 2


def score_interval(
    scores: Sequence[float], residuals: ArrayLike, *, target: Target, coverage: float = COVERAGE
) -> ScoreInterval:
    """Return the interval around the mean of the seeds' `scores`, from the `residuals` of test videos."""
    quantile, coverage = half_width_of(residuals, coverage=coverage)
    variance = float(np.var(scores, ddof=1)) / len(scores) if len(scores) > 1 else 0.0
    half = math.sqrt(quantile**2 + variance)
    score = float(np.mean(scores))
    return ScoreInterval(
        low=_bounded(score - half, target),
        high=_bounded(score + half, target),
        half_width=half,
        coverage=coverage,
        num_residuals=np.size(residuals),
    )


def half_width_of(residuals: ArrayLike, *, coverage: float = COVERAGE) -> tuple[float, float]:
    """Return the conformal quantile `q` of the absolute residuals, and its coverage."""
    sizes = np.sort(np.abs(np.asarray(residuals, dtype=np.float64)))
    rank = math.ceil(coverage * (len(sizes) + 1))
    if rank > len(sizes):
        return float(sizes[-1]), len(sizes) / (len(sizes) + 1)
    return float(sizes[rank - 1]), coverage


def _bounded(score: float, target: Target) -> float:
    low = -math.inf if target.low is None else target.low
    high = math.inf if target.high is None else target.high
    return min(max(score, low), high)


def percentile_among(score: float, training_scores: ArrayLike) -> float:
    """Return the percentage of training scores below this one; equal scores count half."""
    others = np.asarray(training_scores, dtype=np.float64)
    return float(100 * (np.mean(others < score) + np.mean(others == score) / 2))
