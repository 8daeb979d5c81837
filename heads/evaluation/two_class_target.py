"""Two-class targets: a score is the probability of the upper class, say of a clean landing against a fall."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.metrics import Interval, accuracy, wilson_interval
from heads.evaluation.metric import is_two_class
from heads.runs.run_config import RunConfig

# The names of the lower class (0) and the upper class (1) by dataset.
NAMES: Mapping[str, tuple[str, str]] = {"fr-fs": ("fall", "clean landing")}
HALF = 0.5

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TwoClassTarget:
    """The two classes of a run's target, and how many test videos the run got right.

    `accuracy` is Wilson's 95 % interval of the share of correct test videos. `share_upper` is the share of
    the upper class in the training set.
    """

    lower: str
    upper: str
    num_videos: int
    num_right: int
    accuracy: Interval
    share_upper: float

    def name(self, score: float) -> str:
        """Return the likelier class of that score; one half means the upper class, as in the accuracy."""
        return self.upper if score >= HALF else self.lower

    def probability(self, score: float) -> float:
        """Return the probability of the likelier class."""
        return max(score, 1 - score)


def class_names(config: RunConfig, splits: Sequence[str]) -> tuple[str, str] | None:
    """Return the names of the lower and the upper class, or None if the target has no two classes."""
    if not all(is_two_class(config, split) for split in splits):
        return None
    target = config.target.name
    return NAMES.get(config.dataset.adapter, (f"not {target}", target))


def two_class_target(
    config: RunConfig, splits: Sequence[str], *, predicted: Floats, true: Floats, training: Floats
) -> TwoClassTarget | None:
    """Return the two-class target of a run, or None if its target has no two classes.

    `predicted` and `true` are the scores of the test videos of all splits, `training` the labels, 0 or 1, of
    the training videos; all are `(video)`.
    """
    names = class_names(config, splits)
    if names is None:
        return None
    lower, upper = names
    num_right = round(float(accuracy(predicted, true)) * len(true))
    return TwoClassTarget(
        lower=lower,
        upper=upper,
        num_videos=len(true),
        num_right=num_right,
        accuracy=wilson_interval(num_right, len(true)),
        share_upper=float(training.mean()),
    )
