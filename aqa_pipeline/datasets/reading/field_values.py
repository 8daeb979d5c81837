"""Read single fields of label files: numbers, frame numbers, dates, and paths inside the dataset's folder."""

import math
import re
from datetime import date
from pathlib import PurePosixPath, PureWindowsPath
from urllib.parse import quote

from aqa_pipeline.errors import DatasetError

# File systems allow 255 bytes, and a store has one file per id: the percent-encoded id and its ending.
MAX_NAME_BYTES = 200
MAX_NUMBER = 1e12
# A spreadsheet may add a time of day. Day and month are told apart by the year's place, or by points.
DATE_FORMS = (
    re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})(?:[T ][\d:.]+)?"),
    re.compile(r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})"),
)


def finite_number(text: str, *, name: str, quoted: str | None = None) -> float:
    """Return `text` as a finite number. Raise `DatasetError` for words, NaN, infinite and very large numbers.

    The error quotes `quoted`, the field in the file, if `text` was made from it.
    """
    shown = repr((text if quoted is None else quoted)[:40])
    try:
        number = float(text) if "_" not in text else math.nan  # Python reads 1_0 as 10
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise DatasetError(f"{name} {shown} is not a finite number")
    if abs(number) > MAX_NUMBER:
        raise DatasetError(f"{name} {shown} is larger than any score or frame")
    return number


def frame_number(text: str, *, name: str) -> int:
    """Return `text` as a frame index >= 0; spreadsheets write 12 as `12.0`. Raise `DatasetError`."""
    number = finite_number(text, name=name)
    if number < 0 or number != int(number):
        raise DatasetError(f"{name} {text[:40]!r} is not a whole number >= 0")
    return int(number)


def calendar_date(text: str, *, name: str) -> date:
    """Return `2026-05-08` or `08.05.2026` as a date. Raise `DatasetError` for other forms.

    `05/08/2026` is refused: it is a day of May in some countries, and of August in others.
    """
    match = next((found for form in DATE_FORMS if (found := form.fullmatch(text.strip()))), None)
    try:
        if match is None:
            raise ValueError(text)
        return date(*(int(match[part]) for part in ("year", "month", "day")))
    except ValueError as error:
        raise DatasetError(f"{name} {text[:40]!r} is not a date such as 2026-05-08") from error


def inner_path(text: str, *, name: str) -> str:
    """Return `text` as a relative path with `/` that cannot leave the folder to which it is joined.

    The check reads names only. A link inside the folder may lead outside, as is usual for large data. Raises
    `DatasetError` for a path that is empty, absolute, too long or unprintable, or contains `..`.
    """
    portable = text.strip().replace("\\", "/")
    path = PurePosixPath(portable)
    if not path.parts:
        raise DatasetError(f"{name} is empty")
    if path.is_absolute() or PureWindowsPath(text.strip()).drive or ".." in path.parts:
        raise DatasetError(f"{name} {text!r} leads out of the dataset's folder; expected a path inside it")
    if not portable.isprintable():
        raise DatasetError(f"{name} {text!r} holds unprintable characters")
    if len(quote(portable)) > MAX_NAME_BYTES:
        raise DatasetError(f"{name} {text[:40]!r}... is longer than {MAX_NAME_BYTES} bytes, percent-encoded")
    return str(path)
