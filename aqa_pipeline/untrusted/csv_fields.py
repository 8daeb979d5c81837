"""Write untrusted text into CSV files so that a spreadsheet shows it and does not run it."""

import csv
import io
from collections.abc import Mapping, Sequence

# Spreadsheets run a field that begins with one of these as a formula (CWE-1236). A tab or a line end may hide
# the sign.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe_field(value: object) -> object:
    """Return the value, with an apostrophe in front if it is text that a spreadsheet would run."""
    return f"'{value}" if isinstance(value, str) and _may_run(value) else value


def original_field(text: str) -> str:
    """Return the text from which `safe_field` made `text`."""
    return text[1:] if text.startswith("'") and _may_run(text[1:]) else text


def _may_run(text: str) -> bool:
    # Leading apostrophes are ignored, so that `original_field` can always remove the one of `safe_field`.
    return text.lstrip(" '").startswith(FORMULA_STARTS)


def csv_text(rows: Sequence[Mapping[str, object]], *, columns: Sequence[str]) -> str:
    """Return a CSV with a header and safe fields. None becomes an empty field."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: safe_field(value) for name, value in row.items()} for row in rows)
    return text.getvalue()
