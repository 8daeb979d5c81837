"""Check what a person enters for one performance, and turn it into the fields of its row."""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import count

from aqa_pipeline.datasets.reading.field_values import calendar_date, inner_path
from aqa_pipeline.datasets.reading.marks import Column, is_missing
from aqa_pipeline.datasets.reading.video_endings import without_video_suffix
from aqa_pipeline.datasets.writing.label_table import LabelRow, LabelTable
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.untrusted.csv_fields import FORMULA_STARTS

SCORE, TARGET = "score", "score:"
SPAN = ("start_frame", "stop_frame")
LONGEST_NAME = 120  # characters


class EntryRefused(DatasetError):
    """An entry cannot be written. `reasons` has a sentence for each field that is wrong."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        self.reasons = dict(reasons)
        super().__init__("; ".join(self.reasons.values()))


@dataclass(frozen=True)
class Entry:
    """One performance as it was entered, all of it text.

    `marks` are the scores by column (`score`, `score:<name>`). `span` is [start, stop) in frames of the file;
    None is the whole file. `date` is a day such as 2026-05-08. `video_id` may be empty: an id is then made.
    """

    video: str
    video_id: str = ""
    marks: Mapping[str, str] = field(default_factory=dict)
    span: tuple[int, int] | None = None
    athlete: str = ""
    date: str = ""
    element: str = ""
    group: str = ""


def fields_of(entry: Entry, table: LabelTable, *, replaced: LabelRow | None = None) -> dict[str, str]:
    """Return the entry as fields of a row of `table`, by column.

    `replaced` is the row in whose place they will stand. Raises `EntryRefused` for all that the reader of the
    folder would refuse, and for text that a spreadsheet would run as a formula.
    """
    reasons: dict[str, str] = {}

    def checked(name: str, check: Callable[[], str]) -> str:
        try:
            return check()
        except DatasetError as error:
            reasons[name] = str(error)
            return ""

    fields = {"video": checked("video", lambda: _video(entry.video)), "id": ""}
    for column, text in entry.marks.items():
        fields[column] = checked(column, partial(_mark, column, text, table, replaced))
    fields |= dict(zip(SPAN, map(str, entry.span or ("", "")), strict=True))
    fields["athlete"] = checked("athlete", lambda: plain_text(entry.athlete, name="athlete"))
    fields["date"] = checked("date", lambda: _day(entry.date))
    fields["element"] = checked("element", lambda: plain_text(entry.element, name="element"))
    fields["group"] = checked("group", lambda: plain_text(entry.group, name="group"))
    if not reasons:
        video_id = checked("id", lambda: _video_id(entry, table, replaced))
        fields["id"] = "" if video_id == without_video_suffix(fields["video"]) else video_id
    if reasons:
        raise EntryRefused(reasons)
    return fields


def plain_text(text: str, *, name: str) -> str:
    """Return the text without blanks around it, in composed Unicode.

    Raises `DatasetError` for text that is long or unprintable, or that a spreadsheet would run.
    """
    text = unicodedata.normalize("NFC", text.strip())
    if not text.isprintable():
        raise DatasetError(f"{name} holds unprintable characters: expected one line of text")
    if len(text) > LONGEST_NAME:
        raise DatasetError(f"{name} has {len(text)} characters: expected at most {LONGEST_NAME}")
    if text.startswith(FORMULA_STARTS):
        raise DatasetError(f"{name} begins with {text[0]!r}: a spreadsheet would run it as a formula")
    return text


def target_column(name: str) -> str:
    """Return the column of a further target of that name. Raise `DatasetError` for a name that is none."""
    name = plain_text(name, name="the name of the sub-score").lower()
    if not name:
        raise DatasetError("a sub-score has a mark, but no name: expected a name such as landing")
    return f"{TARGET}{name}"


def is_untouched(row: LabelRow) -> bool:
    """Return whether the row names a whole file, and nobody has entered anything else in it yet."""
    return {column for column, text in row.fields.items() if text} == {"video"}


def free_id(table: LabelTable, video: str, *, is_part: bool) -> str:
    """Return an id that no row has: the video's name without ending; with a number for a part."""
    stem, taken = without_video_suffix(video), {row.video_id for row in table.rows}
    if not is_part and stem not in taken:
        return stem
    return next(name for number in count(1) if (name := f"{stem}-{number}") not in taken)


def _video(name: str) -> str:
    name = inner_path(name, name="video")
    if name.startswith(FORMULA_STARTS):
        raise DatasetError(f"video {name!r}: a spreadsheet would run this name as a formula. Rename the file")
    return name


def _video_id(entry: Entry, table: LabelTable, replaced: LabelRow | None) -> str:
    if not entry.video_id.strip():
        is_part = entry.span is not None
        was_part = replaced is not None and any(replaced.fields.get(column) for column in SPAN)
        if replaced is not None and replaced.video_id and (was_part or not is_part):
            return replaced.video_id
        return free_id(table, entry.video, is_part=is_part)
    video_id = inner_path(plain_text(entry.video_id, name="id"), name="id")
    others = [row for row in table.rows_of(video_id) if replaced is None or row.line != replaced.line]
    if others:
        raise DatasetError(f"id {video_id!r} is taken by line {others[0].line} of {table.path.name}")
    return video_id


def _mark(column: str, text: str, table: LabelTable, replaced: LabelRow | None) -> str:
    """Return the mark as its column writes numbers."""
    text = text.strip()
    if is_missing(text):
        return "" if text.startswith(FORMULA_STARTS) else text
    rest = [row.fields.get(column, "") for row in table.rows if replaced is None or row.line != replaced.line]
    others = [each for each in rest if not is_missing(each)]
    before = Column(others)
    written = before.text(Column([*others, text]).number(text, name=column))
    after = Column([*others, written])
    after.number(written, name=column)
    for other in others:
        if _reading(before, other) != _reading(after, other):
            raise DatasetError(
                f"{column} {text!r}: beside it, {other!r} could no longer be read. Mend that first"
            )
    return written


def _reading(column: Column, text: str) -> float | None:
    try:
        return column.number(text, name="")
    except DatasetError:
        return None


def _day(text: str) -> str:
    return calendar_date(text, name="date").isoformat() if text.strip() else ""
