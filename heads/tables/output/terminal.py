"""A finished table for the terminal: three lines per row, so that six columns fit in 120 characters.

paper and ours             0.615  0.587
difference and deviation  -0.028 ±0.021
95 % interval, mark       [0.45, 0.69] ✓
"""

import math
import textwrap

from heads.tables.output.facts import counted_legend, facts_of, missing_title, reasons_of, title_of
from heads.tables.output.metrics import METRICS, interval_text, positive_zero
from heads.tables.results import TableCell, TableResult
from heads.tables.table import Table

COVERED = {True: "✓", False: "✗", None: " "}
GAP = "  "
NOTE_WIDTH = 110
GRID_WIDTH = 130
LEGEND = (
    "Each cell: the paper's value and ours; ours minus the paper's, ± standard deviation over seeds and\n"
    "splits; our 95 % interval over videos and seeds, ✓ if it contains the paper's value, ✗ if not.\n"
    "A single number is the paper's: cited, or not run here (-)."
)


def format_table_result(result: TableResult) -> str:
    """Return the whole table with flags, settings, notes, and the cells that could not be run."""
    flags = [f"*** {flag} ***" for flag in result.flags]
    counted = [_wrapped(text, "") for text in (counted_legend(result.table).strip(),) if text]
    head = [f"{title_of(result)} ({result.table.source})", *flags, *facts_of(result)]
    lines = [*head, "", LEGEND, *counted, ""]
    lines += _grid(result)
    lines += ["", *(_wrapped(note, "- ") for note in result.notes), *flags]
    reasons = list(reasons_of(result))
    if reasons:
        lines += ["", f"{missing_title(result)}:"]
        for where, reason in reasons:
            lines += ["", _wrapped(where, "  "), *(f"    {line}" for line in reason.splitlines())]
    return "\n".join(lines)


def _wrapped(text: str, indent: str) -> str:
    return textwrap.fill(
        text,
        NOTE_WIDTH,
        initial_indent=indent,
        subsequent_indent=" " * len(indent),
        break_on_hyphens=False,
    )


def _grid(result: TableResult) -> list[str]:
    """Return the lines of the table cells; columns beyond `GRID_WIDTH` go below the others."""
    blocks = _blocks(result)
    widths = [max(len(line[at]) for block in blocks for line in block) for at in range(len(blocks[0][0]))]
    columns = list(range(1, len(widths)))
    room = GRID_WIDTH - widths[0]
    num_parts = math.ceil(sum(len(GAP) + widths[at] for at in columns) / max(room, 1))
    per_part = math.ceil(len(columns) / min(num_parts, len(columns)))
    lines: list[str] = []
    for start in range(0, len(columns), per_part):
        lines += [""] if lines else []
        lines += _grid_part(blocks, widths, [0, *columns[start : start + per_part]])
    return lines


def _blocks(result: TableResult) -> list[list[list[str]]]:
    """Return the titles, the numbers of videos and the rows, each as lines of texts with the label first."""
    titles = {column.name: column.title for column in result.table.columns}
    titles |= {average.name: average.title for average in result.table.averages}
    blocks: list[list[list[str]]] = [
        [[""] + [titles[name] for name in result.column_names]],
        [["test videos"] + [result.num_test(name) or "-" for name in result.column_names]],
    ]
    for row in result.table.rows:
        cells = [_cell_lines(cell, result.table) for cell in result.of_row(row)]
        height = max(map(len, cells))
        label = _label_lines(row.group, row.label, height)
        blocks.append(
            [[label[at], *(lines[at] if at < len(lines) else "" for lines in cells)] for at in range(height)]
        )
    return blocks


def _grid_part(blocks: list[list[list[str]]], widths: list[int], columns: list[int]) -> list[str]:
    rule = "-" * len(GAP.join("x" * widths[at] for at in columns))
    lines: list[str] = []
    for number, block in enumerate(blocks):
        lines += [rule] if number == 2 else []
        lines += [GAP.join(line[at].ljust(widths[at]) for at in columns).rstrip() for line in block]
    return lines


def _label_lines(group: str, label: str, height: int) -> list[str]:
    """Return group and label on two lines if there is room, else on one."""
    if height > 1:
        return ([group, f"  {label}"] if group else [label]) + [""] * (height - 1 - bool(group))
    return [f"{group} {label}".strip()]


def _cell_lines(cell: TableCell, table: Table) -> list[str]:
    decimals, signed = table.decimals_of(cell.metric), METRICS[cell.metric].signed
    value = _signed if signed else _value
    measured, printed = cell.measured, value(cell.printed, decimals)
    if measured is None:
        return [{"cited": printed, "not run": f"{printed}  -"}.get(cell.status, "")]
    if cell.status == "implied":
        return [f"{printed}  ≈{value(measured.mean, decimals)}".lstrip(), "implied"]
    difference = _signed(cell.difference, decimals)
    width = max(decimals + len("+0."), len(printed), len(difference))
    lines = [
        f"{printed:<{width}} {value(measured.mean, decimals)}",
        f"{difference:<{width}} {_spread(measured.std, decimals)}".rstrip(),
        _third_line(cell, decimals),
    ]
    return [line for line in lines if line]


def _third_line(cell: TableCell, decimals: int) -> str:
    """Return the interval with its mark; counts have none."""
    interval = cell.measured.interval if cell.measured else None
    if interval is None:
        return ""
    ends = interval_text(interval, lambda end: _value(end, decimals - 1))
    return f"{ends} {COVERED[cell.covered]}".rstrip()


def _value(value: float | None, decimals: int) -> str:
    return "" if value is None else f"{positive_zero(value, decimals):.{decimals}f}"


def _signed(value: float | None, decimals: int) -> str:
    return "" if value is None else f"{positive_zero(value, decimals):+.{decimals}f}"


def _spread(std: float, decimals: int) -> str:
    return "" if math.isnan(std) else f"±{std:.{decimals}f}"
