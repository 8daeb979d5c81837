"""Read a table of scores as spreadsheets save it: a header, one line per video, separated by , ; tab or |."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aqa_pipeline.datasets.reading.disk import read_label_text
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.plurals import counted

DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class TableLine:
    """One line under the header: its number in the file, and its unchanged fields by column."""

    number: int
    fields: Mapping[str, str]
    problem: str = ""


def read_score_table(path: Path) -> tuple[list[str], list[TableLine]]:
    """Return the names of the columns in lower case, and every line that is not blank.

    A line with more fields than columns has a `problem`. Raises `DatasetError` for a file without a table.
    """
    lines = read_csv_lines(path)
    header = [name.lower() for name in lines[0][1]]
    check_names_differ(path, header)
    if len(lines) == 1:
        raise DatasetError(f"{path} has a header and no rows: expected one line per video")
    return header, [_line(header, number, fields) for number, fields in lines[1:]]


def check_names_differ(path: Path, header: Sequence[str]) -> None:
    """Raise `DatasetError` if two columns have one name."""
    repeated = sorted({name for name in header if name and header.count(name) > 1})
    if repeated:
        raise DatasetError(
            f"{path} has the columns {', '.join(repeated)} more than once: rename or delete one of each"
        )


def read_csv_lines(path: Path) -> list[tuple[int, list[str]]]:
    """Return every line that is not blank: its number in the file, and its fields without blanks around them.

    Raises `DatasetError` for a file without such a line.
    """
    text, first_number, delimiter = without_separator_line(read_label_text(path))
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter or find_delimiter(text), skipinitialspace=True
    )
    try:
        lines = [(reader.line_num + first_number, [field.strip() for field in fields]) for fields in reader]
    except csv.Error as error:
        raise DatasetError(
            f"{path} line {reader.line_num + first_number} cannot be read as CSV: {error}"
        ) from error
    lines = [(number, fields) for number, fields in lines if any(fields)]
    if not lines:
        raise DatasetError(f"{path} is empty: expected one line per video")
    return lines


def _line(header: list[str], number: int, fields: list[str]) -> TableLine:
    """Return a line of the table. It may be short: spreadsheets drop empty fields at the end of a line."""
    padded = fields + [""] * (len(header) - len(fields))
    problem = ""
    if any(fields[len(header) :]):
        fields_under = f"{counted(len(fields), 'field')} under {counted(len(header), 'column')}"
        problem = f"{fields_under}; quote fields that hold the separator"
    return TableLine(number, dict(zip(header, padded, strict=False)), problem)


def without_separator_line(text: str) -> tuple[str, int, str | None]:
    """Return the text after Excel's line `sep=;`, the number of lines removed, and the separator."""
    first, _, rest = text.partition("\n")
    name, equals, delimiter = first.strip("\r\ufeff").partition("=")
    if equals and name.strip().lower() == "sep" and delimiter in tuple(DELIMITERS):
        return rest, 1, delimiter
    return text, 0, None


def find_delimiter(text: str) -> str:
    """Return the separator that gives a column `video`; else the one that `csv.Sniffer` finds."""
    first_line = text.lstrip().splitlines()[0]
    for delimiter in DELIMITERS:
        names = {name.strip(' "').lower() for name in first_line.split(delimiter)}
        if "video" in names and len(names) > 1:
            return delimiter
    try:
        return csv.Sniffer().sniff(first_line, delimiters=DELIMITERS).delimiter
    except csv.Error:
        return ","
