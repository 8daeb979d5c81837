"""The typical error of a difference of two scores, from the errors of a run on its test videos.

    independent   sqrt(2) * s      s: standard deviation of the errors on all test videos
    within        sqrt(2) * s_w    s_w^2 = sum_a sum_i (e_ai - mean_a)^2 / sum_a (n_a - 1), athletes a

An error that a run makes with every attempt of an athlete does not change their difference. So the
deviation within athletes is used (Hopkins, Measures of reliability in sports medicine and science, Sports
Medicine 2000, calls s_w the typical error) if the test videos give it at least ten degrees of freedom. Else
the errors of two attempts count as independent.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

FEWEST_DEGREES = 10  # of freedom: with fewer, the deviation within athletes is itself too uncertain
FEWEST_VIDEOS = 3

Basis = Literal["within", "independent", "one"]


@dataclass(frozen=True)
class TypicalError:
    """The standard deviation of the error of a difference, with its degrees of freedom.

    `basis` "within": from the errors within athletes. "independent": as if the errors of two attempts were
    independent. "one": one of the two scores is a label, so that the difference has the error of one score.
    `why` says so in a sentence.
    """

    value: float
    degrees: int
    basis: Basis
    why: str

    def chance(self, difference: float) -> float:
        """Return how often errors alone make a difference at least as large, by Student's t distribution."""
        if self.value <= 0:
            return float(difference == 0)
        return float(2 * stats.t.sf(abs(difference) / self.value, self.degrees))


def error_of_a_difference(
    residuals: Mapping[str, float], athletes: Mapping[str, str | None]
) -> TypicalError | None:
    """Return the typical error of a difference of two predictions; None for less than three test videos.

    `residuals` are labels minus predictions by video id, each predicted by networks that never saw the video.
    """
    if len(residuals) < FEWEST_VIDEOS:
        return None
    spread = float(np.std(list(residuals.values()), ddof=1))
    groups = _by_athlete(residuals, athletes)
    degrees = sum(len(each) - 1 for each in groups)
    independent = f"√2 x {spread:.3g}, the deviation of the errors on {len(residuals)} test videos"
    if degrees < FEWEST_DEGREES:
        why = (
            f"The typical error of a difference is {independent}, as if the errors of two attempts were "
            f"independent: too few test videos share an athlete to measure it ({degrees} degrees of freedom, "
            f"{FEWEST_DEGREES} are needed)."
        )
        return TypicalError(math.sqrt(2) * spread, len(residuals) - 1, "independent", why)
    within = math.sqrt(sum(float(np.var(each)) * len(each) for each in groups) / degrees)
    why = (
        f"The typical error of a difference is √2 x {within:.3g}, the deviation of the errors within "
        f"{len(groups)} athletes ({degrees} degrees of freedom). If errors were independent, it would be "
        f"{independent}."
    )
    return TypicalError(math.sqrt(2) * within, degrees, "within", why)


def error_of_one_score(residuals: Mapping[str, float]) -> TypicalError | None:
    """Return the typical error of a prediction minus a label; None for less than three test videos."""
    if len(residuals) < FEWEST_VIDEOS:
        return None
    size = math.sqrt(float(np.mean(np.square(list(residuals.values())))))
    why = (
        "One of the two scores is a label, so the difference has the error of one prediction: "
        f"{size:.3g}, the root mean square of the errors on {len(residuals)} test videos."
    )
    return TypicalError(size, len(residuals), "one", why)


def _by_athlete(
    residuals: Mapping[str, float], athletes: Mapping[str, str | None]
) -> Sequence[Sequence[float]]:
    """Return the residuals of each athlete with two test videos or more."""
    groups: dict[str, list[float]] = defaultdict(list)
    for video, residual in residuals.items():
        if (athlete := athletes.get(video)) is not None:
            groups[athlete].append(residual)
    return [each for each in groups.values() if len(each) > 1]
