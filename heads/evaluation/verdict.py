"""The verdict on a run: whether its error is clearly below the error of simple baselines.

A video that several splits test counts once, with the mean of its errors. A run is usable if its error is at
least a tenth below that of the training mean, and the 95 % bootstrap interval over videos of the paired
difference lies above 0. The tenth is needed because a head that learned almost nothing predicts almost the
mean, and can be better by a tiny but certain amount.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.metrics import FEWEST_VIDEOS, Interval
from heads.evaluation.baselines import BaselineRow, read_baselines
from heads.evaluation.bootstrap import difference_interval
from heads.evaluation.metric import is_two_class
from heads.evaluation.two_class_target import HALF
from heads.runs.predictions import Predicted
from heads.runs.run_config import RunConfig
from heads.runs.trained_cell import split_folder

LEAST_GAIN = 0.1  # a share of the training mean's error

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Verdict:
    """The mean errors of a run and of the baselines over different test videos.

    An error is in points, or for a two-class target the share of wrong videos. `gain` is the interval of the
    training mean's error minus the run's error, `over_ridge` of ridge regression's error minus the run's.
    """

    num_videos: int
    error: float
    mean_error: float
    ridge_error: float
    gain: Interval
    over_ridge: Interval
    two_class: bool = False

    @property
    def is_usable(self) -> bool:
        """True if the run is better than the training mean by a tenth, and its interval lies above 0."""
        return self.gain.low > 0 and self._gained >= LEAST_GAIN

    @property
    def _gained(self) -> float:
        """The share of the training mean's error that the run removes."""
        return 1 - self.error / self.mean_error if self.mean_error else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, with the sentences; a missing interval has null ends."""
        values = asdict(self) | {"is_usable": self.is_usable, "text": str(self)}
        for name in ("gain", "over_ridge"):
            ends = values[name]
            values[name] = [None if math.isnan(ends[end]) else ends[end] for end in ("low", "high")]
        return values

    @cached_property
    def sentences(self) -> tuple[str, str]:
        """One sentence with the errors, and one with the conclusion."""
        return self._errors(), self._conclusion()

    def __str__(self) -> str:
        return " ".join(self.sentences)

    def _errors(self) -> str:
        if self.two_class:
            right, mean, ridge = (
                round((1 - share) * self.num_videos)
                for share in (self.error, self.mean_error, self.ridge_error)
            )
            return (
                f"{right} of {self.num_videos} test videos correct. Always predicting the more frequent "
                f"class: {mean}; ridge regression: {ridge}."
            )
        return (
            f"Mean error {_points(self.error)} points on {self.num_videos} test videos. Always predicting "
            f"the average: {_points(self.mean_error)}; ridge regression: {_points(self.ridge_error)}."
        )

    def _conclusion(self) -> str:
        if self.gain.why_none:
            return (
                f"Not usable yet: a verdict needs at least {FEWEST_VIDEOS} different test videos; "
                f"there are {self.num_videos}."
            )
        constant = f"predicting the {'more frequent class' if self.two_class else 'average'}"
        if self.gain.low > 0 and not self.is_usable:
            gained = f"{self._gained:.0%} less error than {constant}"
            return f"Not usable yet: only {gained} (usable from {LEAST_GAIN:.0%})."
        if not self.is_usable:
            worse = "worse than" if self.gain.high < 0 else "not clearly better than"
            return f"Not usable yet: {worse} {constant} on these videos."
        if self.over_ridge.low > 0:
            return f"Usable: better than {constant} and than ridge regression."
        if self.over_ridge.high < 0:
            return f"Better than {constant}, but ridge regression is better: use it, or try another head."
        return f"Usable: better than {constant}. No clear difference from ridge regression on these videos."


def verdict_of(run_dir: Path, config: RunConfig, splits: Sequence[Predicted]) -> Verdict | None:
    """Return the verdict on the mean prediction of the seeds, or None if a split has no baselines yet."""
    baselines = [read_baselines(split_folder(Path(run_dir), split.split)) for split in splits]
    if not all(baselines):
        return None
    two_class = all(is_two_class(config, split.split) for split in splits)
    rows = [row for of_split in baselines if of_split for row in of_split]
    return verdict_from(splits, rows, two_class=two_class)


def verdict_from(splits: Sequence[Predicted], rows: Sequence[BaselineRow], *, two_class: bool) -> Verdict:
    """Return the verdict from predictions and baselines of the same videos."""
    error_of = _is_wrong if two_class else _distance
    head = _per_video(
        (video, float(error))
        for split in splits
        for video, error in zip(split.videos, error_of(split.predicted.mean(axis=0), split.true), strict=True)
    )
    mean, ridge = (
        _per_video(
            (row.video_id, float(error_of(np.array([getattr(row, name)]), np.array([row.true]))[0]))
            for row in rows
        )
        for name in ("mean", "ridge")
    )
    videos = sorted(head)
    errors = [np.array([of[video] for video in videos]) for of in (head, mean, ridge)]
    return Verdict(
        num_videos=len(videos),
        error=float(errors[0].mean()),
        mean_error=float(errors[1].mean()),
        ridge_error=float(errors[2].mean()),
        gain=difference_interval(errors[1] - errors[0]),
        over_ridge=difference_interval(errors[2] - errors[0]),
        two_class=two_class,
    )


def _distance(predicted: Floats, true: Floats) -> Floats:
    return np.abs(predicted - true)


def _is_wrong(predicted: Floats, true: Floats) -> Floats:
    return ((predicted >= HALF) != (true >= HALF)).astype(np.float64)


def _per_video(errors: Any) -> dict[str, float]:
    """Return the mean error of each video over the splits that test it."""
    found: dict[str, list[float]] = {}
    for video, error in errors:
        found.setdefault(video, []).append(error)
    return {video: float(np.mean(of_video)) for video, of_video in found.items()}


def _points(error: float) -> str:
    """Return three significant digits: 12.7, 0.034."""
    return f"{error:.3g}" if error < 100 else f"{error:.0f}"
