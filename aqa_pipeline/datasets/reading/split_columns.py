"""Read the columns of a score table that name splits: `split`, `split:<name>` and `fold`.

`split` and `split:<name>` hold train, test, or nothing for a video that is in neither set. `fold` holds any
label. The videos of a fold are the test set of its split; the videos of all other folds are its training set.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import quote

from aqa_pipeline.datasets.reading.field_values import MAX_NAME_BYTES
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.records import Split
from aqa_pipeline.video_names import count_of

SPLIT, NAMED, FOLD = "split", "split:", "fold"
SIDES = ("train", "test")
# Names of splits that are made here, from a seed or for a cross-validation.
MADE_HERE = re.compile(r"(random|grouped|group)-.*|fold-\d+-of-\d+")

Places = Mapping[str, str]  # by column: train, test or a fold's label; "" if the video is in no set


def split_columns(header: Iterable[str]) -> list[str]:
    """Return the columns that name splits: `split`, then each `split:<name>`, then `fold`.

    Raises `DatasetError` for a name that no split can have.
    """
    names = list(header)
    named = [name for name in names if name.startswith(NAMED)]
    for name in named:
        _check_split_name(name.removeprefix(NAMED), of=f"column {name!r}")
    return [*filter(SPLIT.__eq__, names), *named, *filter(FOLD.__eq__, names)]


def read_places(columns: Sequence[str], fields: Mapping[str, str]) -> Places:
    """Return the value of each of these columns in one row; raise `DatasetError` for a wrong one."""
    return {column: _read_place(column, fields[column]) for column in columns}


def splits_of_columns(
    columns: Sequence[str], places: Mapping[str, Places]
) -> tuple[list[dict[str, Split]], list[str]]:
    """Return the splits by name of `split`, of all `split:<name>` and of `fold`, and the problems of columns.

    `places` maps video id to the row's places. The splits are called `given`, `<name>` and `fold-<label>`. A
    column without a usable split is a problem, and so is one that repeats the name of another's split.
    """
    kinds: list[dict[str, Split]] = [{}, {}, {}]
    given, named, of_folds = kinds
    problems: list[str] = []
    for column in columns:
        of_column = {video_id: place[column] for video_id, place in places.items() if place[column]}
        found = _folds(of_column) if column == FOLD else _sides(column, of_column)
        if taken := sorted(set(found) & {name for kind in kinds for name in kind}):
            problems.append(f"column {column} names the split {taken[0]!r}, which another column has too")
        elif found:
            {SPLIT: given, FOLD: of_folds}.get(column, named).update(found)
        elif of_column:
            problems.append(_why_unusable(column, of_column))
    return kinds, problems


def without_fold(columns: Sequence[str], places: Mapping[str, Places]) -> Iterator[str]:
    """Yield a sentence on the videos whose field `fold` is empty, if others have a fold."""
    if FOLD not in columns:
        return
    without = [video_id for video_id, place in places.items() if not place[FOLD]]
    if 0 < len(without) < len(places):
        yield f"without a fold, and so in no split of the column fold: {count_of(without)}"


def _check_split_name(name: str, *, of: str) -> None:
    """Raise `DatasetError` for a name that a split cannot have: it also names a folder of a run."""
    if not name:
        raise DatasetError(f"{of} names no split: expected a name after the colon, such as split:first")
    if not name.isprintable():
        raise DatasetError(f"{of} holds unprintable characters: expected printable text")
    if len(quote(name)) > MAX_NAME_BYTES:
        raise DatasetError(f"{of[:60]}... is longer than {MAX_NAME_BYTES} bytes, percent-encoded")
    if MADE_HERE.fullmatch(name):
        raise DatasetError(
            f"{of} names the split {name!r}, a name that `aqa` gives to splits of its own: expected another"
        )


def _read_place(column: str, text: str) -> str:
    if column == FOLD:
        if text:
            _check_split_name(f"{FOLD}-{text}", of=f"fold {text!r}")
        return text
    side = text.lower()
    if side not in {"", *SIDES}:
        raise DatasetError(f"{column} {text[:40]!r} is neither train nor test, nor empty for neither set")
    return side


def _sides(column: str, of_column: Mapping[str, str]) -> dict[str, Split]:
    name = column.removeprefix(NAMED) if column.startswith(NAMED) else "given"
    train, test = (tuple(v for v, its in of_column.items() if its == side) for side in SIDES)
    return {name: Split(name, train, test)} if train and test else {}


def _folds(of_column: Mapping[str, str]) -> dict[str, Split]:
    labels = list(dict.fromkeys(of_column.values()))
    if len(labels) < 2:
        return {}
    return {
        f"{FOLD}-{label}": Split(
            f"{FOLD}-{label}",
            train=tuple(v for v, its in of_column.items() if its != label),
            test=tuple(v for v, its in of_column.items() if its == label),
        )
        for label in sorted(labels, key=_in_order)
    }


def _in_order(label: str) -> tuple[float, str]:
    """Return a key that sorts whole numbers by value, before all other labels."""
    return (int(label), "") if label.isdecimal() else (float("inf"), label)


def _why_unusable(column: str, of_column: Mapping[str, str]) -> str:
    (only,) = set(of_column.values())
    if column == FOLD:
        return f"column {FOLD} has one fold, {only!r}: expected two or more different labels"
    return f"column {column} names only one of train and test, {only}: expected both"
