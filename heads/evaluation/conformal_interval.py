"""How far a predicted score may be off: from the run's own errors on its test videos, and from its seeds.

    half = sqrt(q^2 + s^2 / K)

`q` is the split-conformal quantile of the absolute test residuals of the seeds' mean prediction: the k-th
smallest of n, k = ceil(0.9 (n + 1)) (Papadopoulos et al., ECML 2002; Lei et al., JASA 2018). With fewer than
9 test videos there is no 90 % quantile: the largest residual is taken, and its coverage n / (n + 1) is told.
`s` is the sample deviation of the K seeds on this very video: seeds that disagree widen the interval. The
residuals hold an average seed error already, so the interval errs on the wide side.
It holds for videos drawn as the test videos were. Residuals of `best-on-test` runs are flattered.
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
    """`[low, high]` on the raw scale, within the target's bounds; `coverage` of videos fall inside."""

    low: float
    high: float
    half_width: float
    coverage: float
    num_residuals: int

    @property
    def decimals(self) -> int:
        """How many decimals a score deserves: three significant digits of the half width, 12.7 or 0.0431."""
        return max(0, 2 - math.floor(math.log10(self.half_width))) if self.half_width > 0 else 2


def score_interval(
    scores: Sequence[float], residuals: ArrayLike, *, target: Target, coverage: float = COVERAGE
) -> ScoreInterval:
    """The interval around the mean of the seeds' `scores`, from residuals of test videos."""
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
    """The conformal quantile `q` of the absolute residuals, and the coverage that so few of them can give."""
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
    """Percent of training scores below this one, equal ones counted half."""
    others = np.asarray(training_scores, dtype=np.float64)
    return float(100 * (np.mean(others < score) + np.mean(others == score) / 2))
