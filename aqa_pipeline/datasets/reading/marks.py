"""Read marks as people type them: decimal commas, thousands separators, missing marks, spreadsheet dates.

A field that could be two numbers is refused with both readings, unless the other fields of its column decide.
"""

import re
from collections.abc import Iterable
from datetime import date, timedelta

from aqa_pipeline.datasets.reading.field_values import finite_number
from aqa_pipeline.errors import DatasetError

MISSING = frozenset(("", "-", "–", "—", "n/a", "na", "dnf", "dns", "dsq", "dq", "none", "null"))  # noqa: RUF001
SPACES = re.compile(r"[\s\u00a0\u2009\u202f']")
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
THREE_DIGITS = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")  # thousands, or three decimals
GERMAN = re.compile(r"[+-]?\d{1,3}(\.\d{3})+,\d+")
ENGLISH = re.compile(r"[+-]?\d{1,3}(,\d{3})+\.\d+")
GROUPED = re.compile(r"[+-]?\d{1,3}([\s\u00a0\u2009\u202f']\d{3})+([.,]\d+)?")
MONTH = re.compile(
    r"\d{1,2}[-. ]{1,2}(jan|feb|mar|mär|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez)\w*\.?", re.I
)
DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}.*|\d{1,2}[./]\d{1,2}[./]\d{2,4}")
FIRST_SERIAL, LAST_SERIAL = 36526, 73050  # 2000-01-01 and 2100-01-01, as spreadsheets count days
USUAL_MARK = 1000.0


class Column:
    """The number format of a column of marks, which its fields decide together."""

    def __init__(self, fields: Iterable[str]) -> None:
        known = [field for field in map(str.strip, fields) if not is_missing(field)]
        self._comma = any(
            DECIMAL_COMMA.fullmatch(field) and not THREE_DIGITS.fullmatch(field) for field in known
        )
        numbers = [number for field in known if (number := _plain(field)) is not None]
        self._small = any(abs(number) < USUAL_MARK for number in numbers)

    def number(self, field: str, *, name: str) -> float:
        """Return the field as a number; raise `DatasetError`, which quotes the field, for anything else."""
        text = field.strip()
        if is_date(text) or self._is_serial(text):
            raise DatasetError(
                f"{name} {text!r} is a date that a spreadsheet made of a mark{_perhaps(text)}. "
                "Format the column as text and type the mark again"
            )
        if THREE_DIGITS.fullmatch(text) and ("," in text or self._comma):
            return self._of_three_digits(text, name)
        return finite_number(_with_point(text), name=name, quoted=text)

    def text(self, number: float) -> str:
        """Return the number as this column writes numbers, in a form that `number` reads back as it was."""
        text = repr(number).removesuffix(".0")
        text = text.replace(".", ",") if self._comma else text
        return f"{text}0" if THREE_DIGITS.fullmatch(text) else text  # 1.234 could be 1234

    def _of_three_digits(self, text: str, name: str) -> float:
        if "," in text and self._comma:
            return finite_number(text.replace(",", "."), name=name, quoted=text)
        decimal, thousands = re.sub("[.,]", ".", text), re.sub("[.,]", "", text)
        raise DatasetError(
            f"{name} {text!r} could be {decimal} or {thousands}. Write {decimal}0 or {thousands} instead"
        )

    def _is_serial(self, text: str) -> bool:
        return text.isdigit() and FIRST_SERIAL <= int(text) <= LAST_SERIAL and self._small


def is_date(text: str) -> bool:
    """Return whether the text looks like a date."""
    return bool(MONTH.fullmatch(text) or DATE.fullmatch(text))


def is_missing(field: str) -> bool:
    """Return whether the field says that there is no mark: empty, `DNF`, `n/a`, a dash."""
    return field.strip().lower() in MISSING


def _with_point(text: str) -> str:
    """Return a number with a decimal point and no separators between its digits; other text unchanged."""
    if GROUPED.fullmatch(text):
        text = SPACES.sub("", text)
    if GERMAN.fullmatch(text):
        return text.replace(".", "").replace(",", ".")
    if ENGLISH.fullmatch(text):
        return text.replace(",", "")
    return text.replace(",", ".") if DECIMAL_COMMA.fullmatch(text) else text


def _plain(text: str) -> float | None:
    try:
        return float(_with_point(text))
    except ValueError:
        return None


def _perhaps(text: str) -> str:
    """Return the mark that was perhaps typed, by the serial number of a day: 45784 is 2025-05-07, so 7.5."""
    if not text.isdigit():
        return ""
    day = date(1899, 12, 30) + timedelta(days=int(text))
    return f" ({day.isoformat()}, perhaps {day.day}.{day.month} or {day.month}.{day.day})"
