"""The results of a bench as LaTeX for a paper, one table for each block; it needs the package booktabs."""

from collections.abc import Iterator

from heads.bench.output.words import facts_of, flags_of, in_order, ranking_text, title_of, verdict
from heads.bench.records import BenchResults, BlockRecord, CellRecord, IntervalRecord
from heads.evaluation.metric import TITLES
from heads.tables.output.latex import escaped

COLUMNS = "lrrrrrl"


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
    caption = f"{flags}{escaped(title_of(block))}. {escaped(facts_of(block))}."
    yield from _begin(caption, COLUMNS)
    yield _row(["Head", *titles, "in words"])
    yield r"    \midrule"
    yield from (_row(_cells(cell)) for cell in in_order(block))
    yield from _end()


def _cells(cell: CellRecord) -> list[str]:
    against = cell.against_ridge if cell.value is not None else None
    return [
        escaped(cell.row),
        _number(cell.value),
        _interval(cell.interval),
        _number(against.difference, sign="+") if against else "",
        _interval(against.interval, sign="+") if against else "",
        f"${cell.mean_error:.3g}$",
        escaped(verdict(cell)),
    ]


def _ranking(results: BenchResults) -> Iterator[str]:
    caption = " ".join(escaped(sentence) for sentence in ranking_text(results.ranking, results.blocks))
    yield from _begin(caption, "lr")
    yield _row(["Head", "average rank"])
    yield r"    \midrule"
    for head in results.ranking.heads:
        yield _row([escaped(head.row), f"${head.average_rank:.2f}$"])
    yield from _end()


def _begin(caption: str, columns: str) -> Iterator[str]:
    yield r"\begin{table}"
    yield r"  \centering"
    yield f"  \\caption{{{caption}}}"
    yield f"  \\begin{{tabular}}{{{columns}}}"
    yield r"    \toprule"


def _end() -> Iterator[str]:
    yield r"    \bottomrule"
    yield r"  \end{tabular}"
    yield r"\end{table}"


def _number(value: float | None, *, sign: str = "") -> str:
    return "--" if value is None else f"${value:{sign}.3f}$"


def _interval(interval: IntervalRecord, *, sign: str = "") -> str:
    if interval.low is None or interval.high is None:
        return "--"
    return f"$[{interval.low:{sign}.3f}, {interval.high:{sign}.3f}]$"


def _row(cells: list[str]) -> str:
    return f"    {' & '.join(cells)} \\\\"
