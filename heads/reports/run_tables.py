"""The tables of one run: a row per split, narrow enough for a phone, and a row per trained cell."""

import math
from collections.abc import Iterator

from heads.evaluation.against_baselines import AgainstBaseline, AgainstBaselines
from heads.evaluation.metric import TITLES
from heads.evaluation.run_scores import Evaluation, Scores, SplitScores
from heads.pages.run_page import TableOf
from heads.reports.number_text import UNDEFINED, interval_text, number_text


def metrics_by_split(evaluation: Evaluation) -> TableOf:
    """Return the mean over seeds of each split, the mean over several splits, and the folds pooled."""
    rows = [
        (split.split, str(split.ensemble.num_videos), _mean(split), interval_text(split.interval))
        for split in evaluation.splits
    ]
    if len(rows) > 1:
        overall = evaluation.overall
        spread = "" if math.isnan(overall.std) else f" ± {overall.std:.3f}"
        mean = f"{number_text(overall.mean)}{spread}"
        rows.append((overall.kind, str(overall.num_videos), mean, interval_text(overall.interval)))
    if pooled := evaluation.pooled:
        num_videos = str(pooled.ensemble.num_videos)
        rows.append(("pooled over folds", num_videos, _mean(pooled), interval_text(pooled.interval)))
    kept = f"Weights kept: {evaluation.select}. " if evaluation.has_epochs else ""
    seeds = (
        "Mean ± standard deviation over seeds."
        if any(split.num_seeds > 1 for split in evaluation.splits)
        else ""
    )
    header = ("split", "videos", TITLES[evaluation.metric], "95 % interval")
    return TableOf(header, rows, f"{kept}{seeds}")


def metrics_by_seed(evaluation: Evaluation) -> TableOf:
    """Return every trained cell with all metrics, and the metrics of the epochs if there are several."""
    header = ("split", "seed", "videos", TITLES[evaluation.metric], "95 % interval", "R-l2", "MSE")
    if not evaluation.has_gap:
        return TableOf(header, [row[: len(header)] for row in _rows(evaluation)], num_texts=2)
    note = "* Choosing the best epoch on the test set is not model selection."
    return TableOf((*header, "last epoch", "best on test*"), list(_rows(evaluation)), note, num_texts=2)


def metrics_beside_baselines(beside: AgainstBaselines, *, title: str) -> TableOf:
    """Return the run's metric beside its baselines; `title` names the run's head.

    A difference is the run's metric minus the baseline's, paired over test videos.
    """
    header = ("head", TITLES[beside.metric], "difference", "95 % interval", "mean error")
    own = (title, number_text(beside.value), "", "", f"{beside.mean_error:.3g}")
    note = "Difference: this run minus the baseline. A baseline is fitted once per split, to the same videos."
    return TableOf(header, [own, *map(_baseline, beside.baselines)], note)


def _baseline(each: AgainstBaseline) -> tuple[str, ...]:
    compared = (number_text(each.difference, sign="+"), interval_text(each.interval, sign="+"))
    shown = ("", "") if math.isnan(each.difference) else compared
    return each.baseline, number_text(each.value), *shown, f"{each.mean_error:.3g}"


def _rows(evaluation: Evaluation) -> Iterator[tuple[str, ...]]:
    for split in evaluation.splits:
        for cell in evaluation.cells:
            if cell.split == split.split:
                epochs = number_text(cell.last_on_test), number_text(cell.best_on_test)
                yield split.split, str(cell.seed), *_numbers(cell.scores), *epochs
        if split.num_seeds > 1:
            yield split.split, "ensemble", *_numbers(split.ensemble), "", ""
            num_videos, interval = str(split.ensemble.num_videos), interval_text(split.interval)
            yield split.split, "mean", num_videos, _mean(split), interval, "", "", "", ""
    if pooled := evaluation.pooled:
        of_seeds = "ensemble" if pooled.num_seeds > 1 else str(evaluation.cells[0].seed)
        yield "pooled", of_seeds, *_numbers(pooled.ensemble), "", ""


def _numbers(scores: Scores) -> tuple[str, ...]:
    return (
        str(scores.num_videos),
        number_text(scores.value),
        interval_text(scores.value_interval),
        number_text(scores.relative_l2),
        number_text(scores.mse),
    )


def _mean(split: SplitScores) -> str:
    if math.isnan(split.mean):
        return UNDEFINED
    return number_text(split.mean) if math.isnan(split.std) else f"{split.mean:.3f} ± {split.std:.3f}"
