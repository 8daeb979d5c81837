"""The tables that compare several runs: a row per run, a row per pair, and the splits of each pair."""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

from aqa_pipeline.errors import RunError
from aqa_pipeline.metrics import TOO_FEW
from heads.evaluation.compare import Comparison, Difference, compare
from heads.evaluation.metric import TITLES
from heads.evaluation.run_scores import Evaluation
from heads.pages.run_page import TableOf
from heads.reports.number_text import UNDEFINED, interval_text, number_text

PAIRED = "First run minus second run. Paired bootstrap over videos and seeds; p is two-sided."
POOLED_NOTE = ", pooled over folds"
Titled = tuple[str, TableOf]


def overview(evaluations: Mapping[Path, Evaluation]) -> Titled:
    """Return a row per run, and one for its pooled folds; flags have a column if they differ between runs."""
    differ = len({each.flags for each in evaluations.values()}) > 1
    two_class = any(each.verdict is None or each.verdict.two_class for each in evaluations.values())
    rows = [
        (
            f"{run_dir}{note}",
            *([", ".join(each.flags)] if differ else []),
            number_text(mean.mean),
            interval_text(mean.interval),
            *([] if two_class else [_error(each)]),
        )
        for run_dir, each in evaluations.items()
        for mean, note in ((each.overall, ""), (each.pooled, POOLED_NOTE))
        if mean is not None
    ]
    metrics = " or ".join(dict.fromkeys(TITLES[each.metric] for each in evaluations.values()))
    header = ("run", *(["flags"] if differ else []), metrics, "95 % interval")
    error = [] if two_class else ["mean error"]
    return "All runs", TableOf((*header, *error), rows, num_texts=1 + differ)


def _error(evaluation: Evaluation) -> str:
    return "" if evaluation.verdict is None else f"{evaluation.verdict.error:.3g}"


def differences(run_dirs: Sequence[Path]) -> tuple[Titled, list[Titled]]:
    """Return the differences of all pairs over all splits, and a table of the splits for each pair."""
    rows, by_split = [], []
    for first, second in combinations(run_dirs, 2):
        title = f"{first} against {second}"
        try:
            comparison = compare(first, second)
        except RunError as error:
            rows.append((f"{title}: not comparable: {str(error).splitlines()[0]}", "", "", ""))
            continue
        whole = comparison.overall or comparison.splits[0]
        rows.append((title, *_numbers(whole)))
        if comparison.pooled:
            rows.append((f"{title}{POOLED_NOTE}", *_numbers(comparison.pooled)))
        if comparison.overall:
            by_split.append((f"{title}, by split", _splits(comparison)))
    table = TableOf(("pair", "difference", "95 % interval", "p"), rows, PAIRED)
    return ("Differences", table), by_split


def _splits(comparison: Comparison) -> TableOf:
    rows = [
        (each.name, str(each.num_videos), number_text(each.first), number_text(each.second), *_numbers(each))
        for each in comparison.splits
    ]
    header = ("split", "videos", "first", "second", "difference", "95 % interval", "p")
    return TableOf(header, rows, PAIRED)


def _numbers(each: Difference) -> tuple[str, str, str]:
    undefined = "" if each.interval.why_none == TOO_FEW else UNDEFINED
    p = undefined if math.isnan(each.p) else f"{each.p:.4f}"
    return number_text(each.difference, sign="+"), interval_text(each.interval, sign="+"), p
