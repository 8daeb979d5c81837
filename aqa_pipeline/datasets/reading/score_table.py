"""A table of scores as spreadsheets save it: one line per video under a header, separated by , ; tab or |."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aqa_pipeline.datasets.reading.disk import read_label_text
from aqa_pipeline.errors import DatasetError

DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class TableLine:
    """One line under the header: its number in the file, and its cells as they stand, by column."""

    number: int
    cells: Mapping[str, str]
    problem: str = ""


def read_score_table(path: Path) -> tuple[list[str], list[TableLine]]:
    """Return the names of the columns in lower case, and every line that is not blank.

    A line with more cells than columns has a `problem`. Raises `DatasetError` for what is no table.
    """
    lines = read_csv_lines(path)
    header = [name.lower() for name in lines[0][1]]
    repeated = sorted({name for name in header if name and header.count(name) > 1})
    if repeated:
        raise DatasetError(f"{path} has the columns {', '.join(repeated)} more than once")
    if len(lines) == 1:
        raise DatasetError(f"{path} has a header and no rows: expected one line per video")
    return header, [_line(header, number, cells) for number, cells in lines[1:]]


def read_csv_lines(path: Path) -> list[tuple[int, list[str]]]:
    """Return every line that is not blank: its number in the file, and its cells without blanks around them.

    Raises `DatasetError` for a file without any.
    """
    text, first_number, delimiter = _without_separator_line(read_label_text(path))
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter or _delimiter(text), skipinitialspace=True
    )
    try:
        lines = [(reader.line_num + first_number, [cell.strip() for cell in cells]) for cells in reader]
    except csv.Error as error:
        raise DatasetError(f"{path} line {reader.line_num + first_number} is not CSV: {error}") from error
    lines = [(number, cells) for number, cells in lines if any(cells)]
    if not lines:
        raise DatasetError(f"{path} is empty: expected one line per video")
    return lines


def _line(header: list[str], number: int, cells: list[str]) -> TableLine:
    """Lines may end early: spreadsheets drop empty cells at the end."""
    padded = cells + [""] * (len(header) - len(cells))
    problem = ""
    if any(cells[len(header) :]):
        problem = f"{len(cells)} cells under {len(header)} columns; quote cells that hold the separator"
    return TableLine(number, dict(zip(header, padded, strict=False)), problem)


def _without_separator_line(text: str) -> tuple[str, int, str | None]:
    """The table after Excel's `sep=;`, how many lines that took, and the separator that it names."""
    first, _, rest = text.partition("\n")
    name, equals, delimiter = first.strip("\r\ufeff").partition("=")
    if equals and name.strip().lower() == "sep" and delimiter in tuple(DELIMITERS):
        return rest, 1, delimiter
    return text, 0, None


def _delimiter(text: str) -> str:
    """The separator with which the first line holds our columns; else what the sniffer makes of it."""
    first_line = text.lstrip().splitlines()[0]
    for delimiter in DELIMITERS:
        names = {name.strip(' "').lower() for name in first_line.split(delimiter)}
        if "video" in names and len(names) > 1:
            return delimiter
    try:
        return csv.Sniffer().sniff(first_line, delimiters=DELIMITERS).delimiter
    except csv.Error:
        return ","
