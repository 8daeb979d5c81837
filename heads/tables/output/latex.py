"""A finished table as LaTeX, for `\\input` into a paper: needs the package booktabs."""

import math
from collections.abc import Iterator

from heads.tables.output.facts import facts_of, title_of
from heads.tables.output.metrics import METRICS, interval_text, positive_zero
from heads.tables.results import TableCell, TableResult
from heads.tables.table import Table

SPECIAL: dict[str, str | int | None] = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "±": r"$\pm$",
    "\u00d7": r"$\times$",
    "≈": r"$\approx$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
}


def escaped(text: str) -> str:
    """Return the text as LaTeX prints it; no sign of it is a command."""
    return " ".join(text.split()).translate(str.maketrans(SPECIAL))


def latex_of(result: TableResult) -> str:
    """The table environment; the same table gives the same text."""
    return "\n".join(_lines(result)) + "\n"


def _lines(result: TableResult) -> Iterator[str]:
    titles = [column.title for column in result.table.columns]
    titles += [average.title for average in result.table.averages]
    yield r"\begin{table}"
    yield r"  \centering"
    yield f"  \\caption{{{_caption(result)}}}"
    yield f"  \\begin{{tabular}}{{l{'l' * len(titles)}}}"
    yield r"    \toprule"
    yield _row(["Method", *map(escaped, titles)])
    yield r"    \midrule"
    for row in result.table.rows:
        label = f"{row.group}, {row.label}" if row.group else row.label
        yield _row([escaped(label), *(_cell(cell, result.table) for cell in result.of_row(row))])
    yield r"    \bottomrule"
    yield r"  \end{tabular}"
    yield r"\end{table}"


def _caption(result: TableResult) -> str:
    """Flags come first: whoever copies the table copies them."""
    flags = "".join(f"\\textbf{{{escaped(flag)}.}} " for flag in result.flags)
    facts = "; ".join(facts_of(result))
    legend = r"Each cell: paper / \textbf{ours} $\pm$ standard deviation [95\,\% interval]."
    return f"{flags}{escaped(title_of(result))} ({escaped(result.table.source)}). {escaped(facts)}. {legend}"


def _row(cells: list[str]) -> str:
    return f"    {' & '.join(cells)} \\\\"


def _cell(cell: TableCell, table: Table) -> str:
    decimals, sign = table.decimals_of(cell.metric), "+" if METRICS[cell.metric].signed else ""

    def text(value: float, sign: str = sign) -> str:
        return f"${positive_zero(value, decimals):{sign}.{decimals}f}$"

    printed = "--" if cell.printed is None else text(cell.printed)
    measured = cell.measured
    if measured is None:
        return {"cited": f"{printed} (cited)", "not run": f"{printed} / not run"}.get(cell.status, "--")
    if cell.status == "implied":
        return f"{printed} / $\\approx$ {text(measured.mean)} (implied)"
    spread = "" if math.isnan(measured.std) else f" $\\pm$ {text(measured.std, '')}"
    bounds = measured.interval
    interval = f" {interval_text(bounds, text)}" if bounds else ""
    return f"{printed} / \\textbf{{{text(measured.mean)}}}{spread}{interval}"
