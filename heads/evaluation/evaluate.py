"""What a run is worth, from its predictions.csv files alone.

Per split and seed: Spearman with a bootstrap interval over the test videos, R-l2 (by the range of the test
labels, as CoRe), MSE in raw points. Per split: mean and standard deviation over seeds, and the mean
prediction of the seeds as an ensemble. Where scores are classes (FR-FS: clean or fall) also the accuracy, a
score from 1/2 on meaning the upper class; means and epochs are then told by it. Over splits: the Fisher-z
mean of correlations where the splits are classes (no video in two of them, as the four apparatus of
Rhythmic Gymnastics), the plain mean where they are draws from the same videos (MIT-Skating's random splits).
"""

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aqa_pipeline.errors import RunError
from aqa_pipeline.metrics import Interval, accuracy, fisher_z_mean, mse, relative_l2, spearman
from heads.evaluation.bootstrap import NUM_RESAMPLES, class_mean_interval, distinct_videos, mean_interval
from heads.evaluation.metric import has_classes
from heads.evaluation.verdict import Verdict, verdict_of
from heads.recipes import MetricName
from heads.runs.config import read_config
from heads.runs.predictions import Predicted, over_seeds_of
from heads.runs.title import run_flags, run_title
from heads.runs.trained_cell import TrainedCell, cell_folder, is_complete, read_cell

SELECT_LABELS = {
    "last": "last epoch",
    "val": "best epoch on held-out training videos",
    "best-on-test": "best epoch on the test videos: NOT MODEL SELECTION",
}


@dataclass(frozen=True)
class Scores:
    """Agreement with the judges on some test videos; nan where undefined.

    `mean_error` is the mean absolute error, in raw points. `accuracy` is the share of classes told right, and
    its interval; None where scores are no classes.
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
        """What tells how good these scores are."""
        return "spearman" if self.accuracy is None else "accuracy"

    @property
    def value(self) -> float:
        """By that metric."""
        return self.spearman if self.accuracy is None else self.accuracy

    @property
    def value_interval(self) -> Interval:
        """Of that value, over videos."""
        return self.accuracy_interval or self.interval


Score = Callable[[Predicted], Scores]  # of a single seed


@dataclass(frozen=True)
class CellScores:
    """One split and seed. `last_on_test` and `best_on_test` are the last and the best epoch's metric.

    A head that is fitted at once has one epoch: nothing to choose.
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
    """One split over its seeds, by the metric of its scores. `std` is the sample's (n - 1), nan for one seed.

    `interval` is that of the mean, over videos and seeds: a control with shuffled labels is judged by it,
    since one shuffle may by chance teach the signal, or its opposite.
    """

    split: str
    num_seeds: int
    mean: float
    std: float
    interval: Interval
    ensemble: Scores


@dataclass(frozen=True)
class Evaluation:
    """A run's numbers. `overall` is the mean over seeds of each seed's mean over splits, by `metric`.

    `num_videos` counts different test videos. `verdict` is None for a control, which must learn nothing, and
    for a run whose baselines are not there yet.
    """

    run_dir: Path
    title: str
    select: str
    flags: tuple[str, ...]
    cells: tuple[CellScores, ...]
    splits: tuple[SplitScores, ...]
    overall: float
    overall_std: float
    overall_interval: Interval
    overall_kind: str
    num_videos: int
    num_unfinished: int
    verdict: Verdict | None

    @property
    def metric(self) -> MetricName:
        """Spearman's correlation, or the accuracy where scores are classes."""
        return self.cells[0].scores.metric

    @property
    def has_epochs(self) -> bool:
        """Whether any cell was trained for several epochs, so that there is one to choose."""
        return any(cell.num_epochs > 1 for cell in self.cells)

    @property
    def mean_gap(self) -> float:
        """By how much picking the best epoch on the test videos would flatter the last one, on average."""
        return float(np.mean([cell.best_on_test - cell.last_on_test for cell in self.cells]))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; undefined numbers are null. The folder is left out: runs may be moved."""
        values: dict[str, Any] = _without_nan(asdict(self))
        del values["run_dir"]
        return values

    def rows(self) -> list[dict[str, object]]:
        """One flat row per split and seed, for CSV; with accuracies where a split has classes."""
        classes = any(cell.scores.accuracy is not None for cell in self.cells)
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
                **(_accuracy_columns(cell.scores) if classes else {}),
                f"last_epoch_{self.metric}": cell.last_on_test,
                f"best_on_test_{self.metric}_not_model_selection": cell.best_on_test,
                "select": self.select,
                "flags": "; ".join(self.flags),
            }
            for cell in self.cells
        ]


def evaluate(run_dir: Path, *, num_resamples: int = NUM_RESAMPLES) -> Evaluation:
    """Evaluate every finished cell of a run; raise `RunError` if there is none."""
    config = read_config(run_dir)
    finished = [(s, k) for s, k in config.cells if is_complete(cell_folder(run_dir, split=s, seed=k))]
    if not finished:
        raise RunError(
            f"{run_dir} has no finished cell of {len(config.cells)}: run the same `aqa fit` command again."
        )
    cells = [read_cell(run_dir, split=split, seed=seed) for split, seed in finished]
    by_split = {split: [cell for cell in cells if cell.split == split] for split, _ in finished}
    predicted = {split: over_seeds_of(group) for split, group in by_split.items()}
    score = {
        split: functools.partial(score_of, classes=has_classes(config, split), num_resamples=num_resamples)
        for split in by_split
    }
    scored = [_score_cell(cell, score[cell.split]) for cell in cells]
    splits = [
        _score_split(predicted[split], scored, score[split], num_resamples=num_resamples)
        for split in by_split
    ]
    metric = scored[0].scores.metric
    fisher_z = metric == "spearman" and are_classes(list(predicted.values()))
    per_seed = _means_over_splits(scored, fisher_z=fisher_z)
    return Evaluation(
        run_dir=Path(run_dir),
        title=run_title(config),
        select=SELECT_LABELS[config.training.select],
        flags=run_flags(config),
        cells=tuple(scored),
        splits=tuple(splits),
        overall=float(np.mean(per_seed)),
        overall_std=_sample_std(per_seed),
        overall_interval=_overall_interval(
            predicted, metric=metric, fisher_z=fisher_z, num_resamples=num_resamples
        ),
        overall_kind="Fisher-z mean over classes" if fisher_z else "mean over splits",
        num_videos=len(distinct_videos(list(predicted.values()))),
        num_unfinished=len(config.cells) - len(finished),
        verdict=None
        if config.training.shuffle_labels
        else verdict_of(run_dir, config, list(predicted.values())),
    )


def are_classes(splits: Sequence[Predicted]) -> bool:
    """Return whether the splits are classes: several, and no video in two of them, to train or to test on.

    The test sets of cross-validation are apart, too, but its training sets hold each other's test videos.
    """
    videos = [video for split in splits for video in (*split.videos, *split.training_videos)]
    return len(splits) > 1 and len(set(videos)) == len(videos)


def _overall_interval(
    predicted: Mapping[str, Predicted], *, metric: MetricName, fisher_z: bool, num_resamples: int
) -> Interval:
    common = set.intersection(*(set(split.seeds) for split in predicted.values()))
    seeds = sorted(common)
    if not seeds:
        return Interval.undefined()
    splits = {name: split.of_seeds(seeds) for name, split in predicted.items()}
    if fisher_z:
        return class_mean_interval(
            {name: [split] for name, split in splits.items()}, num_resamples=num_resamples
        )
    return mean_interval(list(splits.values()), metric=metric, num_resamples=num_resamples)


def _score_cell(cell: TrainedCell, score: Score) -> CellScores:
    on_test = np.array([epoch.test for epoch in cell.epochs])
    best = int(np.argmax(np.where(np.isnan(on_test), -np.inf, on_test)))
    return CellScores(
        split=cell.split,
        seed=cell.seed,
        chosen_epoch=cell.chosen_epoch,
        scores=score(over_seeds_of([cell])),
        last_on_test=float(on_test[-1]),
        best_on_test=float(on_test[best]),
        best_epoch=cell.epochs[best].epoch,
        num_epochs=len(cell.epochs),
    )


def _score_split(
    predicted: Predicted, scored: Sequence[CellScores], score: Score, *, num_resamples: int
) -> SplitScores:
    values = [cell.scores.value for cell in scored if cell.split == predicted.split]
    metric = scored[0].scores.metric
    return SplitScores(
        split=predicted.split,
        num_seeds=len(predicted.seeds),
        mean=float(np.mean(values)),
        std=_sample_std(values),
        interval=mean_interval([predicted], metric=metric, num_resamples=num_resamples),
        ensemble=score(predicted.ensemble),
    )


def score_of(predicted: Predicted, *, num_resamples: int, classes: bool) -> Scores:
    """Return the scores of one seed's predictions, or of an ensemble's."""
    true, (told,) = predicted.true, predicted.predicted
    interval = functools.partial(mean_interval, [predicted], num_resamples=num_resamples)
    score_range = float(np.ptp(true))
    return Scores(
        num_videos=len(true),
        spearman=float(spearman(told, true)),
        interval=interval(),
        relative_l2=float(relative_l2(told, true, score_range=score_range)) if score_range else math.nan,
        mse=float(mse(told, true)),
        mean_error=float(np.abs(told - true).mean()),
        accuracy=float(accuracy(told, true)) if classes else None,
        accuracy_interval=interval(metric="accuracy") if classes else None,
    )


def _accuracy_columns(scores: Scores) -> dict[str, object]:
    low_high = scores.accuracy_interval
    return {
        "accuracy": scores.accuracy,
        "accuracy_low": low_high and low_high.low,
        "accuracy_high": low_high and low_high.high,
    }


def _means_over_splits(scored: Sequence[CellScores], *, fisher_z: bool) -> list[float]:
    by_seed: dict[int, list[float]] = {}
    for cell in scored:
        by_seed.setdefault(cell.seed, []).append(cell.scores.value)
    return [fisher_z_mean(values) if fisher_z else float(np.mean(values)) for values in by_seed.values()]


def _sample_std(values: Sequence[float]) -> float:
    return float(np.std(values, ddof=1)) if len(values) > 1 else math.nan


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nan(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value
