"""Rows of a spreadsheet, .xls or .csv, as texts."""

import io
from pathlib import Path

from aqa_pipeline.datasets.reading.score_table import read_csv_lines
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.installation import install_command
from aqa_pipeline.untrusted.bounded_files import LABEL_BYTES, check_bounded

# One sheet is read, and none of the empty cells that a row may claim.
SPARING = {"on_demand": True, "ragged_rows": True}
Rows = list[tuple[int, list[str]]]


def read_sheet(path: Path, *, sheet: str) -> Rows:
    """Row number (from 1, the header's) and cells of each row below the header that is not blank.

    `sheet` names the sheet of an .xls file. Whole numbers there, always floats, come as `12`, not `12.0`.
    Raises `DatasetError`; for .xls without the library that reads it, with the ways out.
    """
    rows = _xls_rows(path, sheet) if path.suffix.lower() == ".xls" else read_csv_lines(path)
    stripped = [(number, [cell.strip() for cell in cells]) for number, cells in rows]
    return [(number, cells) for number, cells in stripped[1:] if any(cells)]


def _xls_rows(path: Path, sheet: str) -> Rows:
    try:
        check_bounded(path, most_bytes=LABEL_BYTES)
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}") from error
    try:
        import xlrd
    except ImportError as error:
        raise DatasetError(
            f"{path} is an .xls file, and xlrd, which reads these, is not installed: "
            f"{install_command('xls')}, or save the sheet as {path.stem}.csv beside it."
        ) from error
    try:
        # xlrd writes its doubts about a file to the terminal unless they are sent elsewhere.
        with xlrd.open_workbook(str(path), logfile=io.StringIO(), **SPARING) as book:
            names = book.sheet_names()
            table = book.sheet_by_name(sheet) if sheet in names else None
            rows = (
                [[_text(cell) for cell in table.row_values(row)] for row in range(table.nrows)]
                if table
                else []
            )
    except Exception as error:
        # xlrd lets through whatever a damaged file causes: struct.error, IndexError, AssertionError, ...
        raise DatasetError(f"{path} is no .xls file that can be read ({error}): get it again") from error
    if sheet not in names:
        raise DatasetError(f"{path} has no sheet {sheet}; it has {', '.join(names)}")
    return list(enumerate(rows, start=1))


def _text(cell: object) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
