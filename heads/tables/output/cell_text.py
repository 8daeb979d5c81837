"""A table cell as text: the paper's value, ours, its standard deviation and its interval."""

import math
from dataclasses import dataclass

from heads.tables.output.metrics import METRICS, interval_text, positive_zero
from heads.tables.results import TableCell
from heads.tables.table import Table


@dataclass(frozen=True)
class CellStyle:
    """The signs of a text format; `number` and `bold` hold `{}` where the text goes."""

    number: str
    bold: str
    nothing: str
    plus_minus: str
    approximately: str
    implied: str


def signed_number(value: float, cell: TableCell, table: Table, *, style: CellStyle, sign: str) -> str:
    """Return the value with the decimals of the cell's metric; `sign` is "+" for numbers that show it."""
    decimals = table.decimals_of(cell.metric)
    return style.number.format(f"{positive_zero(value, decimals):{sign}.{decimals}f}")


def cell_text(cell: TableCell, table: Table, *, style: CellStyle) -> str:
    """Return `paper / ours ± deviation [interval]`, or what stands there without a measured value."""

    def number(value: float, sign: str = "+" if METRICS[cell.metric].signed else "") -> str:
        return signed_number(value, cell, table, style=style, sign=sign)

    printed = style.nothing if cell.printed is None else number(cell.printed)
    measured = cell.measured
    if measured is None:
        texts = {"cited": f"{printed} (cited)", "not run": f"{printed} / not run"}
        return texts.get(cell.status, style.nothing)
    if cell.status == "implied":
        return f"{printed} / {style.approximately} {number(measured.mean)} ({style.implied})"
    spread = "" if math.isnan(measured.std) else f" {style.plus_minus} {number(measured.std, '')}"
    interval = f" {interval_text(measured.interval, number)}" if measured.interval else ""
    return f"{printed} / {style.bold.format(number(measured.mean))}{spread}{interval}"
