"""Marks as people type them: decimal commas, thousands, missing ones, and what a spreadsheet made of them.

A cell that could be two numbers is refused with both readings, unless the other cells of its column decide.
"""

import re
from collections.abc import Iterable
from datetime import date, timedelta

from aqa_pipeline.datasets.reading.rows import finite_number
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
    """What the cells of one column of marks decide together: decimal commas, or numbers far from dates."""

    def __init__(self, cells: Iterable[str]) -> None:
        known = [cell for cell in map(str.strip, cells) if not is_missing(cell)]
        self._comma = any(
            DECIMAL_COMMA.fullmatch(cell) and not THREE_DIGITS.fullmatch(cell) for cell in known
        )
        numbers = [number for cell in known if (number := _plain(cell)) is not None]
        self._small = any(abs(number) < USUAL_MARK for number in numbers)

    def number(self, cell: str, *, name: str) -> float:
        """Return the cell as a number; raise `DatasetError`, which quotes the cell, for all else."""
        text = cell.strip()
        if is_date(text) or self._is_serial(text):
            raise DatasetError(
                f"{name} {text!r} is a date that a spreadsheet made of a mark{_perhaps(text)}. "
                "Format the column as text and type the mark again"
            )
        if THREE_DIGITS.fullmatch(text) and ("," in text or self._comma):
            return self._of_three_digits(text, name)
        return finite_number(_with_point(text), name=name, quoted=text)

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


def is_missing(cell: str) -> bool:
    """Return whether the cell says that there is no mark: empty, `DNF`, `n/a`, a dash."""
    return cell.strip().lower() in MISSING


def _with_point(text: str) -> str:
    """The number with a decimal point and nothing else between its digits, if it is one."""
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
    """The mark that was typed, by the serial number of its day: 45784 is 2025-05-07, perhaps 7.5."""
    if not text.isdigit():
        return ""
    day = date(1899, 12, 30) + timedelta(days=int(text))
    return f" ({day.isoformat()}, perhaps {day.day}.{day.month} or {day.month}.{day.day})"
