"""A finished table as Markdown: one row per method."""

from collections.abc import Iterator, Sequence

from heads.tables.output.cell_text import CellStyle, cell_text, signed_number
from heads.tables.output.facts import counted_legend, facts_of, missing_title, reasons_of, title_of
from heads.tables.results import TableCell, TableResult
from heads.tables.table import Table

COVERED = {True: "in", False: "outside"}
STYLE = CellStyle(
    number="{}",
    bold="**{}**",
    nothing="-",
    plus_minus="±",
    approximately="≈",
    implied="implied, no reproduction",
)


def markdown_of(result: TableResult) -> str:
    """Return the whole document."""
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
    """Return the cell, the difference, and whether the interval contains the paper's value."""
    text = cell_text(cell, table, style=STYLE)
    if cell.difference is None:
        return text
    against = [signed_number(cell.difference, cell, table, style=STYLE, sign="+")]
    against += [] if cell.covered is None else [COVERED[cell.covered]]
    return f"{text} ({', '.join(against)})"
