"""A finished table as LaTeX for a paper, which needs the packages booktabs and graphicx."""

from collections.abc import Iterator

from heads.tables.output.cell_text import CellStyle, cell_text
from heads.tables.output.facts import facts_of, title_of
from heads.tables.results import TableResult

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


STYLE = CellStyle(
    number="${}$",
    bold=r"\textbf{{{}}}",
    nothing="--",
    plus_minus=r"$\pm$",
    approximately=r"$\approx$",
    implied="implied",
)


def escaped(text: str) -> str:
    """Return the text with LaTeX's special characters escaped."""
    return " ".join(text.split()).translate(str.maketrans(SPECIAL))


def latex_of(result: TableResult) -> str:
    """Return the table environment."""
    return "\n".join(_lines(result)) + "\n"


def _lines(result: TableResult) -> Iterator[str]:
    titles = [column.title for column in result.table.columns]
    titles += [average.title for average in result.table.averages]
    yield from begin_table(_caption(result), columns=f"l{'l' * len(titles)}")
    yield _row(["Method", *map(escaped, titles)])
    yield r"    \midrule"
    for row in result.table.rows:
        label = f"{row.group}, {row.label}" if row.group else row.label
        yield _row(
            [escaped(label), *(cell_text(cell, result.table, style=STYLE) for cell in result.of_row(row))]
        )
    yield from END_OF_TABLE


def begin_table(caption: str, *, columns: str) -> Iterator[str]:
    """Yield the lines up to the first row; the caption is LaTeX. A wide table shrinks to the line."""
    yield r"\begin{table}"
    yield r"  \centering"
    yield f"  \\caption{{{caption}}}"
    yield r"  \resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
    yield f"  \\begin{{tabular}}{{{columns}}}"
    yield r"    \toprule"


END_OF_TABLE = (r"    \bottomrule", r"  \end{tabular}}", r"\end{table}")


def _caption(result: TableResult) -> str:
    """Return the caption, flags first, so that a copy of the table has them."""
    flags = "".join(f"\\textbf{{{escaped(flag)}.}} " for flag in result.flags)
    facts = "; ".join(facts_of(result))
    legend = r"Each cell: paper / \textbf{ours} $\pm$ standard deviation [95\,\% interval]."
    return f"{flags}{escaped(title_of(result))} ({escaped(result.table.source)}). {escaped(facts)}. {legend}"


def _row(cells: list[str]) -> str:
    return f"    {' & '.join(cells)} \\\\"
