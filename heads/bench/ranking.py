"""Average ranks of heads over blocks, Friedman's test and Nemenyi's critical difference.

Demšar, "Statistical Comparisons of Classifiers over Multiple Data Sets", JMLR 7, 2006: in each block the best
head has rank 1, and ties share their mean rank. Two heads are clearly different if their average ranks differ
by at least `q sqrt(k (k + 1) / (6 N))` for `k` heads and `N` blocks, where `q` is the quantile of the
studentized range for `k` groups and infinite degrees of freedom, divided by the square root of 2. Friedman's
statistic is corrected for ties, by scipy.
"""

from collections.abc import Mapping, Sequence
from math import inf, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.stats import friedmanchisquare, rankdata, studentized_range

from heads.bench.records import BlockRecord, RankedHead, RankingRecord, number

ALPHA = 0.05
FEWEST_BLOCKS, FEWEST_HEADS = 2, 3

Floats = NDArray[np.float64]


def critical_difference(num_heads: int, num_blocks: int, *, alpha: float = ALPHA) -> float:
    """Return the smallest difference of average ranks that is clear at that level (Demšar 2006, 3.2.2)."""
    quantile = float(studentized_range.ppf(1 - alpha, num_heads, inf)) / sqrt(2)
    return quantile * sqrt(num_heads * (num_heads + 1) / (6 * num_blocks))


def average_ranks(values: Floats) -> Floats:
    """Return the average rank `(head)` of values `(block, head)`; the largest value has rank 1."""
    return np.asarray(rankdata(-values, axis=1).mean(axis=0))


def friedman(values: Floats) -> tuple[float, float]:
    """Return Friedman's statistic and its p for values `(block, head)`; nan if all values are tied."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = friedmanchisquare(*values.T)
    return float(found.statistic), float(found.pvalue)


def alike(names: Sequence[str], ranks: Sequence[float], difference: float) -> tuple[tuple[str, ...], ...]:
    """Return the largest sets of two or more heads within less than `difference`; `ranks` are ascending."""
    found: list[tuple[int, int]] = []
    for first in range(len(ranks)):
        last = max(at for at in range(len(ranks)) if ranks[at] - ranks[first] < difference)
        if last > first and (not found or last > found[-1][1]):
            found.append((first, last))
    return tuple(tuple(names[first : last + 1]) for first, last in found)


def rank_heads(blocks: Sequence[BlockRecord]) -> RankingRecord:
    """Return the ranking of the heads that have a value in every block; controls are never ranked."""
    rows = dict.fromkeys(cell.row for block in blocks for cell in block.cells if not cell.is_control)
    left_out = {row: reason for row in rows if (reason := _why_not_ranked(row, blocks))}
    names = [row for row in rows if row not in left_out]
    why_none = _why_no_ranking(len(blocks), len(names))
    if why_none:
        return _no_ranking(why_none, len(blocks), left_out)
    values = np.array([[_value(block, row) for row in names] for block in blocks], dtype=np.float64)
    ranks = average_ranks(values)
    order = np.argsort(ranks, kind="stable")
    ordered = [names[at] for at in order]
    sorted_ranks = [float(ranks[at]) for at in order]
    difference = critical_difference(len(names), len(blocks))
    statistic, p = friedman(values)
    return RankingRecord(
        why_none="",
        num_blocks=len(blocks),
        heads=tuple(
            RankedHead(row=row, average_rank=rank) for row, rank in zip(ordered, sorted_ranks, strict=True)
        ),
        friedman=number(statistic),
        p=number(p),
        critical_difference=difference,
        alike=alike(ordered, sorted_ranks, difference),
        left_out=left_out,
    )


def _no_ranking(why: str, num_blocks: int, left_out: Mapping[str, str]) -> RankingRecord:
    return RankingRecord(
        why_none=why,
        num_blocks=num_blocks,
        heads=(),
        friedman=None,
        p=None,
        critical_difference=None,
        alike=(),
        left_out=dict(left_out),
    )


def _value(block: BlockRecord, row: str) -> float | None:
    cell = block.cell(row)
    return None if cell is None else cell.value


def _why_not_ranked(row: str, blocks: Sequence[BlockRecord]) -> str:
    lacking = [block.name for block in blocks if _value(block, row) is None]
    if not lacking:
        return ""
    where = "every block" if len(lacking) == len(blocks) else ", ".join(lacking)
    return f"no value on {where}"


def _why_no_ranking(num_blocks: int, num_heads: int) -> str:
    if num_blocks < FEWEST_BLOCKS:
        there = "is 1" if num_blocks == 1 else f"are {num_blocks}"
        return f"a ranking needs {FEWEST_BLOCKS} or more blocks (dataset and encoder); there {there}"
    if num_heads < FEWEST_HEADS:
        there = "is 1" if num_heads == 1 else f"are {num_heads}"
        return f"a ranking needs {FEWEST_HEADS} or more heads with a value on every block; there {there}"
    return ""
