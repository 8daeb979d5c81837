"""Label rows: each is understood or refused with its reason, and no bad row takes good ones with it."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePosixPath, PureWindowsPath
from typing import TypeVar
from urllib.parse import quote

from aqa_pipeline.errors import DatasetError

Raw = TypeVar("Raw")
Row = TypeVar("Row")

# File systems stop at 255 bytes, and a store keeps one file per id: the percent-encoded id and its ending.
MAX_NAME_BYTES = 200
MAX_NUMBER = 1e12


def parse_rows(
    raw_rows: Iterable[tuple[str, Raw]],
    *,
    parse: Callable[[Raw], Row],
    identify: Callable[[Row], str],
    unread: Callable[[Row], Sequence[str]] = lambda row: (),
) -> tuple[list[Row], list[str]]:
    """Usable rows in file order, and one problem per refused row.

    `raw_rows` are pairs of where a row stands (`scores.csv line 4`) and what stands there; `parse` raises
    `DatasetError` for a bad row. Rows that repeat an id with the same content count once; rows that
    contradict each other are all refused, for nobody knows which one is right. `unread` says which labels of
    a usable row could not be read: a problem each.
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


def finite_number(text: str, *, name: str, quoted: str | None = None) -> float:
    """Return `text` as a finite number. Raise `DatasetError` for words, NaN, infinities, astronomic numbers.

    The error quotes `quoted`, the cell as it stands in the file, where `text` was made of it.
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
    """`text` as a frame index >= 0; `12.0`, as spreadsheets write it, is 12. Raises `DatasetError`."""
    number = finite_number(text, name=name)
    if number < 0 or number != int(number):
        raise DatasetError(f"{name} {text[:40]!r} is not a whole number >= 0")
    return int(number)


def inner_path(text: str, *, name: str) -> str:
    """`text` as a normal relative path with `/`, which cannot leave the folder it is joined to.

    The check reads names only: a link inside the folder may lead elsewhere, since large data often does.
    Raises `DatasetError` for an empty, absolute, climbing (`../x`), unprintable or overlong path.
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
