"""Parse label rows: each row is used or refused with its reason, and a bad row does not affect good ones."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from aqa_pipeline.errors import DatasetError

Raw = TypeVar("Raw")
Row = TypeVar("Row")


def parse_rows(
    raw_rows: Iterable[tuple[str, Raw]],
    *,
    parse: Callable[[Raw], Row],
    identify: Callable[[Row], str],
    unread: Callable[[Row], Sequence[str]] = lambda row: (),
) -> tuple[list[Row], list[str]]:
    """Return the usable rows in file order, and one problem for each refused row.

    `raw_rows` are pairs of a place (`scores.csv line 4`) and the raw row. `parse` raises `DatasetError` for a
    bad row. Rows that repeat an id with the same values are used once. Rows of one id with different values
    are all refused, because the correct one is unknown. `unread` returns the problems of unreadable labels of
    a usable row.
    """
    by_id: dict[str, list[tuple[str, Row]]] = defaultdict(list)
    problems: list[str] = []
    for where, raw in raw_rows:
        try:
            row = parse(raw)
        except DatasetError as error:
            problems.append(f"{where}: {error}")
        else:
            by_id[identify(row)].append((where, row))
    usable = []
    for video_id, entries in by_id.items():
        where, first = entries[0]
        if len(entries) > 1:
            places = ", ".join(where for where, _ in entries)
            if any(row != first for _, row in entries):
                problems.append(f"{places}: id {video_id!r} has different values each time; all refused")
                continue
            problems.append(f"{places}: id {video_id!r} is repeated with the same values; used once")
        usable.append(first)
        problems += [f"{where}: {reason}; the video has no such label" for reason in unread(first)]
    return usable, problems
