"""Scores that are classes: the probability of the upper one of two, say of a clean landing or a fall."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.metrics import accuracy
from heads.agreement import has_classes

# Lower and upper class by dataset, as a reader would say them.
NAMES: Mapping[str, tuple[str, str]] = {"fr-fs": ("fall", "clean landing")}
HALF = 0.5

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TwoClasses:
    """What a run's scores tell apart, and how well it did on its test videos.

    `accuracy` is the share of test videos told right as a 95 % interval [low, high]: Clopper and Pearson's,
    Biometrika 1934, since a bootstrap of four right answers of four would promise 100 %.
    """

    lower: str
    upper: str
    num_videos: int
    num_right: int
    accuracy: tuple[float, float]
    share_upper: float

    def name(self, score: float) -> str:
        """The likelier class of that score; at one half the upper one, as accuracy counts."""
        return self.upper if score >= HALF else self.lower

    def probability(self, score: float) -> float:
        """Of the likelier class."""
        return max(score, 1 - score)


def class_names(config: Mapping[str, Any], splits: Sequence[str]) -> tuple[str, str] | None:
    """Lower and upper class of those splits; None where scores are scores."""
    if not all(has_classes(config, split) for split in splits):
        return None
    target = config["target"]["name"]
    return NAMES.get(config["dataset"]["adapter"], (f"not {target}", target))


def two_classes(
    config: Mapping[str, Any], splits: Sequence[str], *, predicted: Floats, true: Floats, training: Floats
) -> TwoClasses | None:
    """What the run's test videos say, `predicted` and `true` of all the splits; None where scores are scores.

    `training` are the classes, 0 or 1, of the videos that it learned from.
    """
    names = class_names(config, splits)
    if names is None:
        return None
    lower, upper = names
    num_right = round(float(accuracy(predicted, true)) * len(true))
    return TwoClasses(
        lower=lower,
        upper=upper,
        num_videos=len(true),
        num_right=num_right,
        accuracy=exact_interval(num_right, len(true)),
        share_upper=float(training.mean()),
    )


def exact_interval(num_right: int, num: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Clopper and Pearson's interval of a share: all of which `num_right` of `num` is no surprise."""
    from scipy.stats import beta

    tail = (1 - confidence) / 2
    low = beta.ppf(tail, num_right, num - num_right + 1) if num_right else 0.0
    high = beta.ppf(1 - tail, num_right + 1, num - num_right) if num_right < num else 1.0
    return float(low), float(high)
