"""Text from outside in CSV files: a spreadsheet must show it, not run it."""

import csv
import io
from collections.abc import Mapping, Sequence

# Spreadsheets take a cell that begins so for a formula (CWE-1236); a tab or a line end may hide the sign.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe_cell(value: object) -> object:
    """Text that a spreadsheet would run gets an apostrophe in front; numbers stay as they are."""
    return f"'{value}" if isinstance(value, str) and _may_run(value) else value


def original_cell(text: str) -> str:
    """The text that `safe_cell` made safe."""
    return text[1:] if text.startswith("'") and _may_run(text[1:]) else text


def _may_run(text: str) -> bool:
    # Apostrophes are looked through, so that one in front can always be taken off again.
    return text.lstrip(" '").startswith(FORMULA_STARTS)


def csv_text(rows: Sequence[Mapping[str, object]], *, columns: Sequence[str]) -> str:
    """A CSV with a header, its text cells made safe; None is an empty cell."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: safe_cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue()
