"""Evaluate a run from its predictions.csv files alone.

Per trained cell (split and seed): Spearman's correlation with a bootstrap interval over the test videos, R-l2
(by the range of the test labels, as in CoRe), MSE in raw points. Per split: mean and standard deviation over
seeds, and the scores of the ensemble, which is the mean prediction of the seeds. For a two-class target
(FR-FS: clean landing or fall) also the accuracy, which is then the metric of the run. Over splits: the
Fisher-z mean of correlations if no two splits share a video (the four apparatus of Rhythmic Gymnastics), else
the plain mean (the random splits of MIT-Skating). If the splits are a cross-validation, also the same scores
of all videos together, each predicted by networks that never saw it.
"""

import functools
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from aqa_pipeline.errors import RunError
from aqa_pipeline.metrics import Interval, accuracy, fisher_z_mean, mse, relative_l2, spearman
from heads.evaluation.bootstrap import NUM_RESAMPLES, distinct_videos, fisher_z_interval, mean_interval
from heads.evaluation.metric import METRICS, is_two_class
from heads.evaluation.pooling import pool_folds
from heads.evaluation.run_scores import CellScores, Evaluation, Overall, Scores, SplitScores
from heads.evaluation.verdict import verdict_of
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
FISHER_Z_MEAN, PLAIN_MEAN = "Fisher-z mean over splits", "mean over splits"

Score = Callable[[Predicted], Scores]  # scores of one seed's predictions


def evaluate(run_dir: Path, *, num_resamples: int = NUM_RESAMPLES) -> Evaluation:
    """Return the scores of every finished trained cell of a run; raise `RunError` if there is none."""
    config = read_config(run_dir)
    finished = [(s, k) for s, k in config.cells if is_complete(cell_folder(run_dir, split=s, seed=k))]
    if not finished:
        raise RunError(
            f"{run_dir} has no finished trained cell (split and seed) of {len(config.cells)}: run the same "
            "`aqa fit` command again."
        )
    cells = [read_cell(run_dir, split=split, seed=seed) for split, seed in finished]
    by_split = {split: [cell for cell in cells if cell.split == split] for split, _ in finished}
    predicted = {split: over_seeds_of(group) for split, group in by_split.items()}
    score = {
        split: functools.partial(score_of, two_class=is_two_class(config, split), num_resamples=num_resamples)
        for split in by_split
    }
    scored = [_score_cell(cell, score[cell.split]) for cell in cells]
    metric = scored[0].scores.metric
    splits = [
        _score_split(
            predicted[split],
            [cell.scores.value for cell in scored if cell.split == split],
            score[split],
            metric=metric,
            num_resamples=num_resamples,
        )
        for split in by_split
    ]
    tested = list(predicted.values())
    return Evaluation(
        run_dir=Path(run_dir),
        title=run_title(config),
        select=SELECT_LABELS[config.training.select],
        flags=run_flags(config),
        cells=tuple(scored),
        splits=tuple(splits),
        overall=_overall(scored, tested, num_resamples=num_resamples),
        pooled=_pooled(tested, score[finished[0][0]], metric=metric, num_resamples=num_resamples),
        num_unfinished=len(config.cells) - len(finished),
        verdict=None if config.training.shuffle_labels else verdict_of(run_dir, config, tested),
        is_adapted=any(split.recipe.adaptation is not None for split in config.splits.values()),
    )


def share_no_videos(splits: Sequence[Predicted]) -> bool:
    """Return True for several splits of which no two share a video, in training or test set.

    The splits of a cross-validation share videos: their training sets hold each other's test videos.
    """
    videos = [video for split in splits for video in (*split.videos, *split.training_videos)]
    return len(splits) > 1 and len(set(videos)) == len(videos)


def _overall(scored: Sequence[CellScores], splits: Sequence[Predicted], *, num_resamples: int) -> Overall:
    metric = scored[0].scores.metric
    fisher_z = metric == "spearman" and share_no_videos(splits)
    per_seed = _means_over_splits(scored, fisher_z=fisher_z)
    return Overall(
        mean=float(np.mean(per_seed)),
        std=_sample_std(per_seed),
        interval=_overall_interval(splits, metric=metric, fisher_z=fisher_z, num_resamples=num_resamples),
        kind=FISHER_Z_MEAN if fisher_z else PLAIN_MEAN,
        num_videos=len(distinct_videos(splits)),
    )


def _overall_interval(
    splits: Sequence[Predicted], *, metric: MetricName, fisher_z: bool, num_resamples: int
) -> Interval:
    seeds = sorted(set.intersection(*(set(split.seeds) for split in splits)))
    if not seeds:
        return Interval.undefined()
    alike = [split.of_seeds(seeds) for split in splits]
    if fisher_z:
        return fisher_z_interval([[split] for split in alike], num_resamples=num_resamples)
    return mean_interval(alike, metric=metric, num_resamples=num_resamples)


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
    predicted: Predicted, values: Sequence[float], score: Score, *, metric: MetricName, num_resamples: int
) -> SplitScores:
    """Return the scores of one split from its predictions and the metric of each seed."""
    return SplitScores(
        split=predicted.split,
        num_seeds=len(predicted.seeds),
        mean=float(np.mean(values)),
        std=_sample_std(values),
        interval=mean_interval([predicted], metric=metric, num_resamples=num_resamples),
        ensemble=score(predicted.ensemble),
    )


def _pooled(
    splits: Sequence[Predicted], score: Score, *, metric: MetricName, num_resamples: int
) -> SplitScores | None:
    """Return the scores of all videos of a cross-validation together, or None for other splits."""
    pooled = pool_folds(splits)
    if pooled is None:
        return None
    values = METRICS[metric](pooled.predicted, np.broadcast_to(pooled.true, pooled.predicted.shape))
    return _score_split(pooled, values.tolist(), score, metric=metric, num_resamples=num_resamples)


def score_of(predicted: Predicted, *, num_resamples: int, two_class: bool) -> Scores:
    """Return the scores of the predictions of one seed, or of an ensemble."""
    true, (scores,) = predicted.true, predicted.predicted
    interval = functools.partial(mean_interval, [predicted], num_resamples=num_resamples)
    score_range = float(np.ptp(true))
    return Scores(
        num_videos=len(true),
        spearman=float(spearman(scores, true)),
        interval=interval(),
        relative_l2=float(relative_l2(scores, true, score_range=score_range)) if score_range else math.nan,
        mse=float(mse(scores, true)),
        mean_error=float(np.abs(scores - true).mean()),
        accuracy=float(accuracy(scores, true)) if two_class else None,
        accuracy_interval=interval(metric="accuracy") if two_class else None,
    )


def _means_over_splits(scored: Sequence[CellScores], *, fisher_z: bool) -> list[float]:
    by_seed: dict[int, list[float]] = {}
    for cell in scored:
        by_seed.setdefault(cell.seed, []).append(cell.scores.value)
    return [fisher_z_mean(values) if fisher_z else float(np.mean(values)) for values in by_seed.values()]


def _sample_std(values: Sequence[float]) -> float:
    return float(np.std(values, ddof=1)) if len(values) > 1 else math.nan
