"""Whether a run is worth using, in the units of its scores: its typical error beside what is easy.

Errors are counted once per different test video: a video that several splits test has the mean of its errors.
A run is usable if it errs a tenth less than the training mean does, and less beyond the chance of videos: the
95 % bootstrap interval over videos of the paired difference lies above 0. A run that learned next to nothing
answers close to the mean, and can be surely better by next to nothing.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.metrics import FEWEST_VIDEOS, Interval
from heads.evaluation.baselines import BaselineRow, read_baselines
from heads.evaluation.bootstrap import NUM_RESAMPLES, interval_of
from heads.evaluation.metric import has_classes
from heads.evaluation.two_classes import HALF
from heads.runs.predictions import Predicted
from heads.runs.run_config import RunConfig
from heads.runs.trained_cell import split_folder

LEAST_GAIN = 0.1  # of the training mean's error

Floats = NDArray[np.float64]
ErrorOf = Callable[[Floats, Floats], Floats]  # of predicted and true scores, one each


@dataclass(frozen=True)
class Verdict:
    """Mean errors over `num_videos` different test videos; where scores are classes, shares told wrong.

    `gain` is the training mean's error less the run's with its interval, `over_ridge` ridge regression's.
    """

    num_videos: int
    error: float
    mean_error: float
    ridge_error: float
    gain: Interval
    over_ridge: Interval
    classes: bool = False

    @property
    def is_usable(self) -> bool:
        """Whether the run is better than the training mean, by a tenth and beyond the chance of videos."""
        return self.gain.low > 0 and self._gained >= LEAST_GAIN

    @property
    def _gained(self) -> float:
        """The share of the training mean's error that the run avoids."""
        return 1 - self.error / self.mean_error if self.mean_error else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, the sentences among them; the ends of an absent interval are null."""
        values = asdict(self) | {"is_usable": self.is_usable, "text": str(self)}
        for name in ("gain", "over_ridge"):
            ends = values[name]
            values[name] = [None if math.isnan(ends[end]) else ends[end] for end in ("low", "high")]
        return values

    @cached_property
    def sentences(self) -> tuple[str, str]:
        """The errors, then what follows from them."""
        return self._errors(), self._conclusion()

    def __str__(self) -> str:
        return " ".join(self.sentences)

    def _errors(self) -> str:
        if self.classes:
            right, mean, ridge = (
                round((1 - share) * self.num_videos)
                for share in (self.error, self.mean_error, self.ridge_error)
            )
            return (
                f"{right} of {self.num_videos} test videos correct; always the commoner class: {mean}; "
                f"ridge regression: {ridge}."
            )
        return (
            f"Typically off by {_points(self.error)} points; always the average: {_points(self.mean_error)}; "
            f"ridge regression: {_points(self.ridge_error)} ({self.num_videos} test videos)."
        )

    def _conclusion(self) -> str:
        if self.gain.why_none:
            return (
                f"Not usable yet: {self.num_videos} different test videos are too few to tell "
                f"(at least {FEWEST_VIDEOS})."
            )
        easy = "the commoner class" if self.classes else "the average"
        if self.gain.low > 0 and not self.is_usable:
            return (
                f"Not usable yet: hardly better than {easy}, {self._gained:.0%} less error (usable from "
                f"{LEAST_GAIN:.0%})."
            )
        if not self.is_usable:
            worse = "worse than" if self.gain.high < 0 else "no better than"
            return f"Not usable yet: {worse} {easy}, as far as these videos tell."
        if self.over_ridge.low > 0:
            return f"Usable: better than {easy} and than ridge regression."
        if self.over_ridge.high < 0:
            return f"Better than {easy}, but ridge regression is better still: use that, or another head."
        return f"Usable: better than {easy}. These videos do not tell it from ridge regression."


def verdict_of(run_dir: Path, config: RunConfig, splits: Sequence[Predicted]) -> Verdict | None:
    """Return the verdict on the mean prediction of the seeds; None where a split has no baselines yet."""
    baselines = [read_baselines(split_folder(Path(run_dir), split.split)) for split in splits]
    if not all(baselines):
        return None
    classes = all(has_classes(config, split.split) for split in splits)
    rows = [row for of_split in baselines if of_split for row in of_split]
    return judge_errors(splits, rows, classes=classes)


def judge_errors(splits: Sequence[Predicted], rows: Sequence[BaselineRow], *, classes: bool) -> Verdict:
    """Return the verdict from predictions and baselines of the same videos."""
    error_of = _is_wrong if classes else _distance
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
        gain=_mean_interval(errors[1] - errors[0]),
        over_ridge=_mean_interval(errors[2] - errors[0]),
        classes=classes,
    )


def _distance(predicted: Floats, true: Floats) -> Floats:
    return np.abs(predicted - true)


def _is_wrong(predicted: Floats, true: Floats) -> Floats:
    return ((predicted >= HALF) != (true >= HALF)).astype(np.float64)


def _per_video(errors: Any) -> dict[str, float]:
    """The mean error of each video, over the splits that test it."""
    found: dict[str, list[float]] = {}
    for video, error in errors:
        found.setdefault(video, []).append(error)
    return {video: float(np.mean(of_video)) for video, of_video in found.items()}


def _mean_interval(differences: Floats) -> Interval:
    """The bootstrap interval over videos of the mean difference."""
    num = len(differences)
    if num < FEWEST_VIDEOS:
        return Interval.of_too_few()
    counts = np.random.default_rng(0).multinomial(num, np.full(num, 1 / num), size=NUM_RESAMPLES)
    return interval_of(counts @ differences / num)


def _points(error: float) -> str:
    """Three significant digits: 12.7, 0.034."""
    return f"{error:.3g}" if error < 100 else f"{error:.0f}"
