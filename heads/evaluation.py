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
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.errors import RunError
from aqa_pipeline.metrics import (
    Interval,
    Metric,
    accuracy,
    bootstrap_interval,
    fisher_z_mean,
    mse,
    relative_l2,
    spearman,
)
from heads.agreement import METRICS, TITLES, has_classes
from heads.cells import Cell, cell_folder, is_complete, read_cell
from heads.configs import read_config
from heads.recipes import MetricName
from heads.run_facts import run_flags, run_title

SELECT_LABELS = {
    "last": "last epoch",
    "val": "best epoch on held-out training videos",
    "best-on-test": "best epoch on the test videos: NOT MODEL SELECTION",
}


@dataclass(frozen=True)
class Scores:
    """Agreement with the judges on some test videos; nan where undefined.

    `accuracy` is the share of classes told right, and its interval; None where scores are no classes.
    """

    num_videos: int
    spearman: float
    interval: Interval
    relative_l2: float
    mse: float
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


# Of predicted and true scores.
Score = Callable[[NDArray[np.float64], NDArray[np.float64]], Scores]


@dataclass(frozen=True)
class CellScores:
    """One split and seed. `last_on_test` and `best_on_test` are the last and the best epoch's metric."""

    split: str
    seed: int
    chosen_epoch: int
    scores: Scores
    last_on_test: float
    best_on_test: float
    best_epoch: int


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
    """A run's numbers. `overall` is the mean over seeds of each seed's mean over splits, by `metric`."""

    run_dir: Path
    title: str
    select: str
    flags: tuple[str, ...]
    cells: tuple[CellScores, ...]
    splits: tuple[SplitScores, ...]
    overall: float
    overall_std: float
    overall_kind: str
    num_unfinished: int

    @property
    def metric(self) -> MetricName:
        """Spearman's correlation, or the accuracy where scores are classes."""
        return self.cells[0].scores.metric

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
                **(_accuracy_columns(cell.scores) if classes else {}),
                f"last_epoch_{self.metric}": cell.last_on_test,
                f"best_on_test_{self.metric}_not_model_selection": cell.best_on_test,
                "select": self.select,
                "flags": "; ".join(self.flags),
            }
            for cell in self.cells
        ]


def evaluate(run_dir: Path, *, num_resamples: int = 10_000) -> Evaluation:
    """Evaluates every finished cell of a run; raises `RunError` if there is none."""
    config = read_config(run_dir)
    asked = [(split, seed) for split in config["splits"] for seed in config["seeds"]]
    finished = [(s, k) for s, k in asked if is_complete(cell_folder(run_dir, split=s, seed=k))]
    if not finished:
        raise RunError(
            f"{run_dir} has no finished cell of {len(asked)}: run the same `aqa fit` command again."
        )
    cells = [read_cell(run_dir, split=split, seed=seed) for split, seed in finished]
    score = functools.partial(_score, num_resamples=num_resamples)
    of_split = {split: functools.partial(score, classes=has_classes(config, split)) for split, _ in finished}
    scored = [_score_cell(cell, of_split[cell.split]) for cell in cells]
    by_split = {split: [cell for cell in cells if cell.split == split] for split, _ in finished}
    splits = [
        _score_split(group, scored, of_split[split], num_resamples) for split, group in by_split.items()
    ]
    fisher_z = (
        are_classes([group[0] for group in by_split.values()]) and scored[0].scores.metric == "spearman"
    )
    per_seed = _means_over_splits(scored, fisher_z=fisher_z)
    kind = "Fisher-z mean over classes" if fisher_z else "mean over splits"
    return Evaluation(
        run_dir=Path(run_dir),
        title=run_title(config),
        select=SELECT_LABELS[config["select"]],
        flags=run_flags(config),
        cells=tuple(scored),
        splits=tuple(splits),
        overall=float(np.mean(per_seed)),
        overall_std=_sample_std(per_seed),
        overall_kind=kind,
        num_unfinished=len(asked) - len(finished),
    )


def are_classes(cells: Sequence[Cell]) -> bool:
    """Whether the splits, one cell of each, are classes: several, and no video in two of them."""
    videos = [row.video_id for cell in cells for row in cell.predictions]
    return len(cells) > 1 and len(set(videos)) == len(videos)


def _score_cell(cell: Cell, score: Score) -> CellScores:
    on_test = np.array([epoch.test for epoch in cell.epochs])
    best = int(np.argmax(np.where(np.isnan(on_test), -np.inf, on_test)))
    true, predicted = _test_scores(cell)
    return CellScores(
        split=cell.split,
        seed=cell.seed,
        chosen_epoch=cell.chosen_epoch,
        scores=score(predicted, true),
        last_on_test=float(on_test[-1]),
        best_on_test=float(on_test[best]),
        best_epoch=cell.epochs[best].epoch,
    )


def _score_split(
    cells: Sequence[Cell], scored: Sequence[CellScores], score: Score, num_resamples: int
) -> SplitScores:
    values = [cell.scores.value for cell in scored if cell.split == cells[0].split]
    metric = METRICS[scored[0].scores.metric]
    true, _ = _test_scores(cells[0])
    predicted = np.stack([_test_scores(cell)[1] for cell in cells])
    return SplitScores(
        split=cells[0].split,
        num_seeds=len(cells),
        mean=float(np.mean(values)),
        std=_sample_std(values),
        interval=bootstrap_interval(metric, predicted, true, num_resamples=num_resamples),
        ensemble=score(predicted.mean(axis=0), true),
    )


def _score(
    predicted: NDArray[np.float64], true: NDArray[np.float64], *, num_resamples: int, classes: bool
) -> Scores:
    def interval(metric: Metric) -> Interval:
        return bootstrap_interval(metric, predicted, true, num_resamples=num_resamples)

    score_range = float(np.ptp(true))
    return Scores(
        num_videos=len(true),
        spearman=float(spearman(predicted, true)),
        interval=interval(spearman),
        relative_l2=float(relative_l2(predicted, true, score_range=score_range)) if score_range else math.nan,
        mse=float(mse(predicted, true)),
        accuracy=float(accuracy(predicted, true)) if classes else None,
        accuracy_interval=interval(accuracy) if classes else None,
    )


def _accuracy_columns(scores: Scores) -> dict[str, object]:
    low_high = scores.accuracy_interval
    return {
        "accuracy": scores.accuracy,
        "accuracy_low": low_high and low_high.low,
        "accuracy_high": low_high and low_high.high,
    }


def _test_scores(cell: Cell) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """True and predicted raw scores of the test videos, in the order of their ids."""
    rows = sorted((row.video_id, row.true, row.predicted) for row in cell.predictions if row.part == "test")
    return np.array([row[1] for row in rows]), np.array([row[2] for row in rows])


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


def format_evaluation(evaluation: Evaluation) -> str:
    """The evaluation as a table for the terminal."""
    width = max(len("split"), *(len(split.split) for split in evaluation.splits))
    lines = [evaluation.title, f"kept: {evaluation.select}", *evaluation.flags, ""]
    lines.append(
        f"{'split':<{width}}  {'seed':>8}  {'videos':>6}  {'Spearman':>8}  95 % interval     R-l2       MSE"
        + (
            "  accuracy  95 % interval"
            if any(cell.scores.accuracy_interval for cell in evaluation.cells)
            else ""
        )
    )
    for split in evaluation.splits:
        for cell in evaluation.cells:
            if cell.split == split.split:
                lines.append(_line(split.split, str(cell.seed), cell.scores, width))
        if split.num_seeds > 1:
            lines.append(_line(split.split, "ensemble", split.ensemble, width))
            lines.append(_mean_line(split, width, metric=evaluation.metric))
    lines.append("")
    if len(evaluation.splits) > 1:
        spread = "" if math.isnan(evaluation.overall_std) else f" ± {evaluation.overall_std:.3f} over seeds"
        lines.append(f"{evaluation.overall_kind}: {evaluation.overall:.3f}{spread}")
    lines.append(
        f"Picking the best epoch on the test videos would read {evaluation.mean_gap:+.3f} "
        f"against the last one (not model selection){_told_in(evaluation.metric)}."
    )
    if evaluation.num_unfinished:
        lines.append(f"{evaluation.num_unfinished} cells are not finished: run the same `aqa fit` again.")
    return "\n".join(lines)


def _line(split: str, seed: str, scores: Scores, width: int) -> str:
    return (
        f"{split:<{width}}  {seed:>8}  {scores.num_videos:>6}  {scores.spearman:>8.3f}"
        f"  {_bracket(scores.interval)}  {scores.relative_l2:7.3f}  {scores.mse:8.3f}{_accuracy(scores)}"
    )


def _accuracy(scores: Scores) -> str:
    if scores.accuracy_interval is None:
        return ""
    return f"  {scores.accuracy:8.3f}  {_bracket(scores.accuracy_interval)}"


def _mean_line(split: SplitScores, width: int, *, metric: MetricName) -> str:
    value = f"{split.mean:>8.3f}" if metric == "spearman" else f"{TITLES[metric]} {split.mean:.3f}"
    return (
        f"{split.split:<{width}}  {'mean':>8}  {split.ensemble.num_videos:>6}  {value}"
        f"  {_bracket(split.interval)}  ± {split.std:.3f} over {split.num_seeds} seeds"
    )


def _told_in(metric: MetricName) -> str:
    """Spearman's correlation goes without saying."""
    return "" if metric == "spearman" else f", in {TITLES[metric]}"


def _bracket(interval: Interval) -> str:
    return f"[{interval.low:6.3f}, {interval.high:6.3f}]"
