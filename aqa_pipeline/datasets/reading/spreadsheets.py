"""Read the rows of a spreadsheet, .xls or .csv, as text."""

import io
from pathlib import Path

from aqa_pipeline.datasets.reading.score_table import read_csv_lines
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.installation import install_command
from aqa_pipeline.untrusted.bounded_files import LABEL_BYTES, check_bounded

# Only one sheet is loaded, and no empty fields at the end of a row.
SPARING = {"on_demand": True, "ragged_rows": True}
Rows = list[tuple[int, list[str]]]


def read_sheet(path: Path, *, sheet: str) -> Rows:
    """Return the number (the header is row 1) and the fields of each row below the header that is not blank.

    `sheet` names the sheet of an .xls file. Whole numbers of an .xls file are returned as `12`, not `12.0`.
    Raises `DatasetError`, also for an .xls file if the library xlrd is not installed.
    """
    rows = _xls_rows(path, sheet) if path.suffix.lower() == ".xls" else read_csv_lines(path)
    stripped = [(number, [field.strip() for field in fields]) for number, fields in rows]
    return [(number, fields) for number, fields in stripped[1:] if any(fields)]


def _xls_rows(path: Path, sheet: str) -> Rows:
    try:
        check_bounded(path, most_bytes=LABEL_BYTES)
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}") from error
    try:
        import xlrd
    except ImportError as error:
        raise DatasetError(
            f"{path} is an .xls file, and the library xlrd that reads it is not installed: run "
            f"{install_command('xls')}, or save the sheet as {path.stem}.csv beside it."
        ) from error
    try:
        # xlrd writes its warnings to the terminal unless it gets another log file.
        with xlrd.open_workbook(str(path), logfile=io.StringIO(), **SPARING) as book:
            names = book.sheet_names()
            table = book.sheet_by_name(sheet) if sheet in names else None
            rows = (
                [[_text(value) for value in table.row_values(row)] for row in range(table.nrows)]
                if table
                else []
            )
    except Exception as error:
        # xlrd passes on any error that a damaged file causes: struct.error, IndexError, AssertionError, ...
        raise DatasetError(
            f"{path} cannot be read as an .xls file ({error}): download or copy it again"
        ) from error
    if sheet not in names:
        raise DatasetError(f"{path} has no sheet {sheet}; it has {', '.join(names)}")
    return list(enumerate(rows, start=1))


def _text(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
