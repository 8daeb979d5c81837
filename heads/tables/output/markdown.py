"""A finished table as Markdown: one row per method, every cell with all that is known of it."""

import math
from collections.abc import Iterator, Sequence

from heads.tables.output.facts import counted_legend, facts_of, missing_title, reasons_of, title_of
from heads.tables.output.metrics import METRICS, interval_text, positive_zero
from heads.tables.results import TableCell, TableResult
from heads.tables.table import Table

COVERED = {True: "in", False: "outside"}


def markdown_of(result: TableResult) -> str:
    """The whole document; the same table gives the same text."""
    return "\n".join(_lines(result)) + "\n"


def _lines(result: TableResult) -> Iterator[str]:
    yield f"# {title_of(result)}"
    yield ""
    for flag in result.flags:
        yield f"> **{flag}**"
        yield ""
    yield f"{result.table.source}. " + ". ".join(_capital(fact) for fact in facts_of(result)) + "."
    yield ""
    yield (
        "Each cell: paper / **ours** ± standard deviation over seeds and splits [95 % interval over videos "
        "and seeds], then in brackets ours minus the paper's, and whether the paper's value lies in our "
        f"interval.{counted_legend(result.table)}"
    )
    yield ""
    yield from _table(result)
    yield ""
    yield from (f"- {note}" for note in result.notes)
    reasons = list(reasons_of(result))
    if reasons:
        yield ""
        yield f"## {missing_title(result)}"
    for where, reason in reasons:
        yield ""
        yield f"**{where}**"
        yield ""
        yield "```"
        yield reason
        yield "```"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _table(result: TableResult) -> Iterator[str]:
    titles = [column.title for column in result.table.columns]
    titles += [average.title for average in result.table.averages]
    sizes = [result.num_test(name) for name in result.column_names]
    heads = [f"{title} (n = {size})" if size else title for title, size in zip(titles, sizes, strict=True)]
    yield _row(["Method", *heads])
    yield _row(["---"] * (len(heads) + 1))
    for row in result.table.rows:
        label = f"{row.group}, {row.label}" if row.group else row.label
        yield _row([label, *(_cell(cell, result.table) for cell in result.of_row(row))])


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cell(cell: TableCell, table: Table) -> str:
    decimals, always = table.decimals_of(cell.metric), "+" if METRICS[cell.metric].signed else ""

    def text(value: float, sign: str = always) -> str:
        return f"{positive_zero(value, decimals):{sign}.{decimals}f}"

    printed = "-" if cell.printed is None else text(cell.printed)
    measured = cell.measured
    if measured is None:
        return {"cited": f"{printed} (cited)", "not run": f"{printed} / not run"}.get(cell.status, "-")
    if cell.status == "implied":
        return f"{printed} / ≈ {text(measured.mean)} (implied, no reproduction)"
    spread = "" if math.isnan(measured.std) else f" ± {text(measured.std, '')}"
    bounds = measured.interval
    interval = f" {interval_text(bounds, text)}" if bounds else ""
    against = [] if cell.difference is None else [text(cell.difference, "+")]
    against += [] if cell.covered is None else [COVERED[cell.covered]]
    found = f"{printed} / **{text(measured.mean)}**{spread}{interval}"
    return f"{found} ({', '.join(against)})" if against else found
