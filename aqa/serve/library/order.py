"""Filter and sort the rows of the library, as its address says."""

from collections.abc import Callable, Sequence
from datetime import date

from aqa.serve.library.rows import Row
from aqa_pipeline.spelling import folded

Key = Callable[[Row], str | float | date | None]
COLUMNS: dict[str, Key] = {
    "video": lambda row: folded(row.name),
    "athlete": lambda row: folded(row.athlete) or None,
    "date": lambda row: row.date,
    "element": lambda row: folded(row.element) or None,
    "label": lambda row: row.label,
    "predicted": lambda row: row.predicted,
    "state": lambda row: folded(row.state),
}
USUAL = "video"


def ordered(rows: Sequence[Row], sort: str) -> list[Row]:
    """Return the rows by a column's name, `-name` for the largest first; rows without a value come last.

    An unknown name sorts by `video`.
    """
    name = sort.removeprefix("-")
    key = COLUMNS.get(name, COLUMNS[USUAL])
    with_value = [row for row in rows if key(row) is not None]
    without = [row for row in rows if key(row) is None]
    by_name = sorted(with_value, key=lambda row: folded(row.name))
    return sorted(by_name, key=key, reverse=sort.startswith("-")) + without  # type: ignore[arg-type]


def filtered(rows: Sequence[Row], words: str) -> list[Row]:
    """Return the rows in which each of the words occurs: in name, athlete, date, element or state."""
    wanted = folded(words).split()
    return [row for row in rows if all(word in _text(row) for word in wanted)]


def next_sort(column: str, sort: str) -> str:
    """Return the order that a click on a column's name asks for: the other way round the second time."""
    return f"-{column}" if sort == column else column


def _text(row: Row) -> str:
    when = row.date.isoformat() if row.date else ""
    return folded(" ".join((row.name, row.athlete, when, row.element, row.state)))
