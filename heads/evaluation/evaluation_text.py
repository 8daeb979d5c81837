"""An evaluation in words: the verdict first, then a row for every split and seed."""

import math
from collections.abc import Iterator

from aqa_pipeline.metrics import Interval
from aqa_pipeline.text_table import format_table
from heads.evaluation.evaluate import Evaluation, Scores, SplitScores
from heads.evaluation.metric import TITLES

HEADER = ("split", "seed", "videos", "Spearman", "95 % interval", "mean error", "R-l2", "MSE")
ACCURACY_HEADER = ("accuracy", "95 % interval")


def format_evaluation(evaluation: Evaluation) -> str:
    """Return the evaluation as text for the terminal."""
    return "\n".join(_lines(evaluation))


def _lines(evaluation: Evaluation) -> Iterator[str]:
    if evaluation.verdict is not None:
        yield from evaluation.verdict.sentences
        yield ""
    yield evaluation.title
    if evaluation.has_epochs:
        yield f"kept: {evaluation.select}"
    yield from evaluation.flags
    yield ""
    classes = any(cell.scores.accuracy is not None for cell in evaluation.cells)
    yield format_table(HEADER + (ACCURACY_HEADER if classes else ()), list(_rows(evaluation, classes)))
    yield ""
    if len(evaluation.splits) > 1:
        spread = "" if math.isnan(evaluation.overall_std) else f" ± {evaluation.overall_std:.3f} over seeds"
        yield (
            f"{evaluation.overall_kind}: {evaluation.overall:.3f} {bracket(evaluation.overall_interval)}"
            f"{spread}, {evaluation.num_videos} different test videos"
        )
    if evaluation.has_epochs:
        yield (
            f"Choosing the best epoch on the test set would report {evaluation.mean_gap:+.3f} "
            f"more than the last epoch (not model selection){_told_in(evaluation)}."
        )
    if evaluation.num_unfinished:
        yield f"{evaluation.num_unfinished} cells are not finished: run the same `aqa fit` again."


def _rows(evaluation: Evaluation, classes: bool) -> Iterator[tuple[str, ...]]:
    for split in evaluation.splits:
        for cell in evaluation.cells:
            if cell.split == split.split:
                yield (split.split, str(cell.seed), *_numbers(cell.scores, classes))
        if split.num_seeds > 1:
            yield (split.split, "ensemble", *_numbers(split.ensemble, classes))
            yield _mean(split, evaluation, classes)


def _numbers(scores: Scores, classes: bool) -> tuple[str, ...]:
    numbers = (
        str(scores.num_videos),
        f"{scores.spearman:.3f}",
        bracket(scores.interval),
        f"{scores.mean_error:.3f}",
        f"{scores.relative_l2:.3f}",
        f"{scores.mse:.3f}",
    )
    if not classes:
        return numbers
    if scores.accuracy is None or scores.accuracy_interval is None:
        return (*numbers, "", "")
    return (*numbers, f"{scores.accuracy:.3f}", bracket(scores.accuracy_interval))


def _mean(split: SplitScores, evaluation: Evaluation, classes: bool) -> tuple[str, ...]:
    """The mean over seeds, in the column of the metric that tells the run."""
    found = (f"{split.mean:.3f} ± {split.std:.3f}", bracket(split.interval))
    row = (split.split, "mean", str(split.ensemble.num_videos))
    if evaluation.metric == "accuracy":
        return (*row, "", "", "", "", "", *found)
    return (*row, *found, "", "", "", *(("", "") if classes else ()))


def _told_in(evaluation: Evaluation) -> str:
    """Spearman's correlation goes without saying."""
    return "" if evaluation.metric == "spearman" else f", in {TITLES[evaluation.metric]}"


def bracket(interval: Interval) -> str:
    """Return `[0.123, 0.456]`, or why there is no interval."""
    return interval.why_none or f"[{interval.low:.3f}, {interval.high:.3f}]"
