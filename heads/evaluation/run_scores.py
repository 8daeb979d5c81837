"""The scores of a run: per trained cell, per split, and over all splits."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aqa_pipeline.metrics import Interval
from heads.evaluation.verdict import Verdict
from heads.recipes import MetricName


@dataclass(frozen=True)
class Scores:
    """How well predictions agree with the judges on some test videos; undefined numbers are nan.

    `mean_error` is the mean absolute error in raw points. `accuracy` is the share of correct classes; it and
    its interval are None unless the target has two classes.
    """

    num_videos: int
    spearman: float
    interval: Interval
    relative_l2: float
    mse: float
    mean_error: float
    accuracy: float | None = None
    accuracy_interval: Interval | None = None

    @property
    def metric(self) -> MetricName:
        """The metric of the target: Spearman's correlation, or the accuracy for a two-class target."""
        return "spearman" if self.accuracy is None else "accuracy"

    @property
    def value(self) -> float:
        """The value of that metric."""
        return self.spearman if self.accuracy is None else self.accuracy

    @property
    def value_interval(self) -> Interval:
        """The interval of that value over videos."""
        return self.accuracy_interval or self.interval


@dataclass(frozen=True)
class CellScores:
    """The scores of one trained cell (split and seed).

    `last_on_test` and `best_on_test` are the metric on the test set after the last and after the best epoch.
    A head that is fitted in closed form has one epoch.
    """

    split: str
    seed: int
    chosen_epoch: int
    scores: Scores
    last_on_test: float
    best_on_test: float
    best_epoch: int
    num_epochs: int


@dataclass(frozen=True)
class SplitScores:
    """The metric of one split over its seeds.

    `std` is the sample standard deviation over seeds (n - 1), nan for one seed. `interval` is the interval of
    the mean over videos and seeds. Use it for a control with shuffled labels: a single shuffle may by chance
    teach the signal, or its opposite.
    """

    split: str
    num_seeds: int
    mean: float
    std: float
    interval: Interval
    ensemble: Scores


@dataclass(frozen=True)
class Overall:
    """The metric over all splits: the mean over seeds of each seed's mean over splits.

    `kind` names the mean over splits. `std` is over seeds, `interval` over videos and seeds. `num_videos`
    counts different test videos.
    """

    mean: float
    std: float
    interval: Interval
    kind: str
    num_videos: int


@dataclass(frozen=True)
class Evaluation:
    """The scores of a run.

    `select` says which epoch was kept. `pooled` is the metric over all videos together, each predicted by
    networks that never saw it; it is None unless the splits are a whole cross-validation. `verdict` is None
    for a control with shuffled labels, which should learn nothing, and for a run without baselines. If
    `is_adapted`, epochs are those of a network that is only a part of the score.
    """

    run_dir: Path
    title: str
    select: str
    flags: tuple[str, ...]
    cells: tuple[CellScores, ...]
    splits: tuple[SplitScores, ...]
    overall: Overall
    num_unfinished: int
    verdict: Verdict | None
    pooled: SplitScores | None = None
    is_adapted: bool = False

    @property
    def metric(self) -> MetricName:
        """The metric of the run: Spearman's correlation, or the accuracy for a two-class target."""
        return self.cells[0].scores.metric

    @property
    def has_epochs(self) -> bool:
        """True if a head was trained for several epochs, so that one must be chosen."""
        return any(cell.num_epochs > 1 for cell in self.cells)

    @property
    def has_gap(self) -> bool:
        """True if the score could have been that of another epoch."""
        return self.has_epochs and not self.is_adapted

    @property
    def mean_gap(self) -> float:
        """The mean gain from choosing the best epoch on the test set over keeping the last epoch."""
        return float(np.mean([cell.best_on_test - cell.last_on_test for cell in self.cells]))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON without the folder, since runs may be moved.

        Undefined numbers are null.
        """
        values: dict[str, Any] = _without_nan(asdict(self))
        del values["run_dir"]
        return values

    def rows(self) -> list[dict[str, object]]:
        """Return one flat row per trained cell for CSV; a two-class target adds accuracies."""
        has_accuracy = any(cell.scores.accuracy is not None for cell in self.cells)
        return [
            {
                "split": cell.split,
                "seed": cell.seed,
                "chosen_epoch": cell.chosen_epoch,
                "num_videos": cell.scores.num_videos,
                "spearman": cell.scores.spearman,
                "spearman_low": cell.scores.interval.low,
                "spearman_high": cell.scores.interval.high,
                "relative_l2": cell.scores.relative_l2,
                "mse": cell.scores.mse,
                "mean_error": cell.scores.mean_error,
                **(_accuracy_columns(cell.scores) if has_accuracy else {}),
                f"last_epoch_{self.metric}": cell.last_on_test,
                f"best_on_test_{self.metric}_not_model_selection": cell.best_on_test,
                "select": self.select,
                "flags": "; ".join(self.flags),
            }
            for cell in self.cells
        ]


def _accuracy_columns(scores: Scores) -> dict[str, object]:
    low_high = scores.accuracy_interval
    return {
        "accuracy": scores.accuracy,
        "accuracy_low": low_high and low_high.low,
        "accuracy_high": low_high and low_high.high,
    }


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nan(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value
