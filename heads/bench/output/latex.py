"""The results of a bench as LaTeX for a paper, one table for each block; it needs booktabs and graphicx."""

from collections.abc import Iterator

from heads.bench.output.words import (
    facts_of,
    flags_of,
    in_order,
    not_beating_ridge,
    ranking_text,
    title_of,
    verdict,
)
from heads.bench.records import BenchResults, BlockRecord, CellRecord, IntervalRecord
from heads.evaluation.metric import TITLES
from heads.tables.output.latex import END_OF_TABLE, begin_table, escaped

COLUMNS = "lrrrrr"


def latex_of(results: BenchResults) -> str:
    """Return the table environments, and one for the average ranks if there are any."""
    return "\n".join(_lines(results)) + "\n"


def _lines(results: BenchResults) -> Iterator[str]:
    for block in results.blocks:
        yield from _block(block)
        yield ""
    if results.ranking.heads:
        yield from _ranking(results)


def _block(block: BlockRecord) -> Iterator[str]:
    titles = (TITLES[block.metric], r"95\,\% interval", "minus ridge", r"95\,\% interval", "mean error")
    flags = "".join(f"\\textbf{{{escaped(flag)}.}} " for flag in flags_of([block]))
    words = escaped(" ".join(_in_words(block)))
    caption = f"{flags}{escaped(title_of(block))}. {escaped(facts_of(block))}. {words}"
    yield from begin_table(caption, columns=COLUMNS)
    yield _row(["Head", *titles])
    yield r"    \midrule"
    yield from (_row(_cells(cell)) for cell in in_order(block))
    yield from END_OF_TABLE


def _cells(cell: CellRecord) -> list[str]:
    against = cell.against_ridge if cell.value is not None else None
    return [
        escaped(cell.row),
        _number(cell.value),
        _interval(cell.interval),
        _number(against.difference, sign="+") if against else "",
        _interval(against.interval, sign="+") if against else "",
        f"${cell.mean_error:.3g}$",
    ]


def _ranking(results: BenchResults) -> Iterator[str]:
    caption = " ".join(escaped(sentence) for sentence in ranking_text(results.ranking, results.blocks))
    yield from begin_table(caption, columns="lr")
    yield _row(["Head", "average rank"])
    yield r"    \midrule"
    for head in results.ranking.heads:
        yield _row([escaped(head.row), f"${head.average_rank:.2f}$"])
    yield from END_OF_TABLE


def _in_words(block: BlockRecord) -> Iterator[str]:
    """Yield the sentences on heads that do not beat ridge regression, and on the control."""
    yield from not_beating_ridge([block])
    yield from (f"{cell.row}: {verdict(cell)}." for cell in block.cells if cell.is_control)


def _number(value: float | None, *, sign: str = "") -> str:
    return "--" if value is None else f"${value:{sign}.3f}$"


def _interval(interval: IntervalRecord, *, sign: str = "") -> str:
    if interval.low is None or interval.high is None:
        return "--"
    return f"$[{interval.low:{sign}.3f}, {interval.high:{sign}.3f}]$"


def _row(cells: list[str]) -> str:
    return f"    {' & '.join(cells)} \\\\"
