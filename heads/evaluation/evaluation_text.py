"""An evaluation as text: the verdict, then a table with a row for every trained cell."""

import math
from collections.abc import Iterator

from aqa_pipeline.metrics import Interval
from aqa_pipeline.text_table import format_table
from heads.evaluation.metric import TITLES
from heads.evaluation.run_scores import Evaluation, Overall, Scores, SplitScores

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
    has_accuracy = any(cell.scores.accuracy is not None for cell in evaluation.cells)
    header = HEADER + (ACCURACY_HEADER if has_accuracy else ())
    yield format_table(header, list(_rows(evaluation, has_accuracy)))
    yield ""
    if len(evaluation.splits) > 1:
        overall = evaluation.overall
        yield f"{overall.kind}: {_mean_text(overall)}, {overall.num_videos} different test videos"
    if evaluation.pooled:
        yield _pooled_text(evaluation.pooled)
    if evaluation.has_gap:
        yield (
            f"Choosing the best epoch on the test set would report {evaluation.mean_gap:+.3f} "
            f"more than the last epoch{_in_metric(evaluation)} (not model selection)."
        )
    if evaluation.num_unfinished:
        yield unfinished_note(evaluation.num_unfinished)


def _mean_text(mean: Overall | SplitScores) -> str:
    spread = "" if math.isnan(mean.std) else f" ± {mean.std:.3f} over seeds"
    interval = f"[{mean.interval.why_none}]" if mean.interval.why_none else bracket(mean.interval)
    return f"{mean.mean:.3f} {interval}{spread}"


def _pooled_text(pooled: SplitScores) -> str:
    scores = pooled.ensemble
    of = " of the ensemble" if pooled.num_seeds > 1 else ""
    return (
        f"pooled over folds: {_mean_text(pooled)}; mean error {scores.mean_error:.3f}, "
        f"R-l2 {scores.relative_l2:.3f}{of}; {scores.num_videos} videos, each tested once"
    )


def unfinished_note(num_unfinished: int) -> str:
    """Return a sentence that says how many trainings are missing and how to finish them."""
    cells = (
        "trained cell (split and seed) is" if num_unfinished == 1 else "trained cells (split and seed) are"
    )
    return f"{num_unfinished} {cells} missing: run the same `aqa fit` command again."


def _rows(evaluation: Evaluation, has_accuracy: bool) -> Iterator[tuple[str, ...]]:
    for split in evaluation.splits:
        for cell in evaluation.cells:
            if cell.split == split.split:
                yield (split.split, str(cell.seed), *_numbers(cell.scores, has_accuracy))
        if split.num_seeds > 1:
            yield (split.split, "ensemble", *_numbers(split.ensemble, has_accuracy))
            yield _mean(split, evaluation, has_accuracy)


def _numbers(scores: Scores, has_accuracy: bool) -> tuple[str, ...]:
    numbers = (
        str(scores.num_videos),
        f"{scores.spearman:.3f}",
        bracket(scores.interval),
        f"{scores.mean_error:.3f}",
        f"{scores.relative_l2:.3f}",
        f"{scores.mse:.3f}",
    )
    if not has_accuracy:
        return numbers
    if scores.accuracy is None or scores.accuracy_interval is None:
        return (*numbers, "", "")
    return (*numbers, f"{scores.accuracy:.3f}", bracket(scores.accuracy_interval))


def _mean(split: SplitScores, evaluation: Evaluation, has_accuracy: bool) -> tuple[str, ...]:
    """Return the row of the mean over seeds, in the column of the run's metric."""
    mean = (f"{split.mean:.3f} ± {split.std:.3f}", bracket(split.interval))
    row = (split.split, "mean", str(split.ensemble.num_videos))
    if evaluation.metric == "accuracy":
        return (*row, "", "", "", "", "", *mean)
    return (*row, *mean, "", "", "", *(("", "") if has_accuracy else ()))


def _in_metric(evaluation: Evaluation) -> str:
    """Return the metric that the sentence is about; Spearman's correlation need not be named."""
    return "" if evaluation.metric == "spearman" else f" in {TITLES[evaluation.metric]}"


def bracket(interval: Interval) -> str:
    """Return `[0.123, 0.456]`, or the reason why there is no interval."""
    return interval.why_none or f"[{interval.low:.3f}, {interval.high:.3f}]"
