"""Scores that are classes: the probability of the upper one of two, say of a clean landing or a fall."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.metrics import Interval, accuracy, wilson_interval
from heads.evaluation.metric import has_classes
from heads.runs.run_config import RunConfig

# Lower and upper class by dataset, as a reader would say them.
NAMES: Mapping[str, tuple[str, str]] = {"fr-fs": ("fall", "clean landing")}
HALF = 0.5

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TwoClasses:
    """What a run's scores tell apart, and how well it did on its test videos.

    `accuracy` is Wilson's 95 % interval of the share of test videos that it told right.
    """

    lower: str
    upper: str
    num_videos: int
    num_right: int
    accuracy: Interval
    share_upper: float

    def name(self, score: float) -> str:
        """The likelier class of that score; at one half the upper one, as accuracy counts."""
        return self.upper if score >= HALF else self.lower

    def probability(self, score: float) -> float:
        """Of the likelier class."""
        return max(score, 1 - score)


def class_names(config: RunConfig, splits: Sequence[str]) -> tuple[str, str] | None:
    """Lower and upper class of those splits; None where scores are scores."""
    if not all(has_classes(config, split) for split in splits):
        return None
    target = config.target.name
    return NAMES.get(config.dataset.adapter, (f"not {target}", target))


def two_classes(
    config: RunConfig, splits: Sequence[str], *, predicted: Floats, true: Floats, training: Floats
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
        accuracy=wilson_interval(num_right, len(true)),
        share_upper=float(training.mean()),
    )
