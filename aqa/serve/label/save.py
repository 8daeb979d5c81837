"""Save what the form of the label page says: one row of the table, and the athlete's box."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TypeVar

from aqa.serve.label.catalog import (
    LabeledVideo,
    is_mark,
    labeled_videos,
    named_boxes,
    part_of,
    video_named,
)
from aqa.serve.label.footage import frames_of
from aqa.serve.label.form import MARK, PLAIN, TIMES, Form
from aqa.serve.looking.look import FrameList
from aqa_pipeline.datasets.reading.video_endings import without_video_suffix
from aqa_pipeline.datasets.writing.athlete_box import (
    AthleteBox,
    box_from_shares,
    read_athlete_box,
    write_athlete_box,
)
from aqa_pipeline.datasets.writing.entry import SCORE, Entry, EntryRefused, fields_of, target_column
from aqa_pipeline.datasets.writing.label_table import (
    LabelRow,
    LabelTable,
    TableChanged,
    read_label_table,
    write_label_table,
)
from aqa_pipeline.datasets.writing.span import frame_shown
from aqa_pipeline.errors import AqaError, DatasetError
from aqa_pipeline.footage import Footage
from aqa_pipeline.video import Timeline

Checked = TypeVar("Checked")
ONE_AT_A_TIME = Lock()  # two tabs may save at once


class Reasons(dict[str, str]):
    """Why fields of the form are refused, by field."""

    def of(self, field: str, check: Callable[[], Checked], otherwise: Checked) -> Checked:
        """Return what `check` returns, or note the reason of its error and return `otherwise`."""
        try:
            return check()
        except AqaError as error:
            self[field] = str(error)
            return otherwise


def save(root: Path, form: Form) -> str:
    """Write the form's row and box; return the id of the performance.

    Raises `EntryRefused` with a reason for each field that is wrong, and `TableChanged` if the table is not
    the one that the form was made of. Nothing is written then.
    """
    with ONE_AT_A_TIME:
        table = read_label_table(root)
        if form["digest"] != table.digest:
            raise TableChanged(
                f"{table.path.name} has been changed since this page was made. Nothing was written. "
                "The list below shows it as it is now: look at it, and save again."
            )
        video = video_named(labeled_videos(root, table), form["video"])
        replaced = video.row(form["replaces"]) if form["replaces"] else video.untouched
        return _write(root, table, video, replaced, form)


def remove(root: Path, form: Form) -> None:
    """Remove the row of the form and its box. The video stays. Raises `TableChanged`."""
    with ONE_AT_A_TIME:
        table = read_label_table(root)
        video = video_named(labeled_videos(root, table), form["video"])
        row = video.row(form["replaces"])
        if form["digest"] != table.digest or row is None or row.video_id is None:
            raise TableChanged(
                f"{table.path.name} has been changed since this page was made. Nothing was removed. Look at "
                "the list below, and try again."
            )
        write_label_table(table.without_row(row.line))
        write_athlete_box(root, row.video_id, None)


def _write(root: Path, table: LabelTable, video: LabeledVideo, replaced: LabelRow | None, form: Form) -> str:
    reasons = Reasons()
    needs_frames = any(form[name].strip() for name in (*TIMES, "box"))
    frames = reasons.of("video", lambda: frames_of(video.path), None) if needs_frames else None
    span = _span(frames.timeline, form, reasons) if frames else None
    box = reasons.of("box", lambda: _box(frames, span, form), None) if frames and not reasons else None
    fields = _fields(table, video, replaced, span, form, reasons)
    if box is not None and replaced is not None and (named := named_boxes(replaced)):
        reasons["box"] = named
    if not reasons and box is None:
        reasons.of("start", lambda: _check_part(video, replaced, span), None)
    if reasons:
        raise EntryRefused(reasons)
    line = replaced.line if replaced else None
    changed = reasons.of("form", lambda: table.with_row(fields, line=line), table)
    video_id = fields["id"] or without_video_suffix(fields["video"])
    if replaced and replaced.video_id and replaced.video_id != video_id:
        reasons.of(
            "id", partial(read_athlete_box, root, replaced.video_id), None
        )  # others' boxes keep the old name
    if not reasons:
        reasons.of("box", lambda: write_athlete_box(root, video_id, box), None)
    if reasons:
        raise EntryRefused(reasons)
    write_label_table(changed)
    if replaced and replaced.video_id not in (None, video_id):
        write_athlete_box(root, str(replaced.video_id), None)
    return video_id


def _fields(
    table: LabelTable,
    video: LabeledVideo,
    replaced: LabelRow | None,
    span: tuple[int, int] | None,
    form: Form,
    reasons: Reasons,
) -> dict[str, str]:
    """Return the fields of the row; what is wrong with them is added to `reasons`, by field of the form."""
    columns = dict.fromkeys([SCORE, *filter(is_mark, table.columns)])
    marks = {column: form.get(f"{MARK}{column}", "") for column in columns}
    if form["new_name"].strip() or form["new_mark"].strip():
        column = reasons.of("new_name", lambda: target_column(form["new_name"]), "")
        if marks.get(column, "").strip():
            reasons["new_name"] = f"{form['new_name'].strip()} has a mark above"
        elif column:
            marks[column] = form["new_mark"]
    entry = Entry(
        video=replaced.fields["video"] if replaced else video.name,
        video_id=form["id"],
        marks=marks,
        span=span,
        **{name: form[name] for name in PLAIN},
    )
    try:
        return fields_of(entry, table, replaced=replaced)
    except EntryRefused as refused:
        for name, reason in refused.reasons.items():
            is_new = is_mark(name) and name not in (SCORE, *table.columns)
            reasons["new_mark" if is_new else f"{MARK}{name}" if is_mark(name) else name] = reason
        return {}


def _check_part(video: LabeledVideo, replaced: LabelRow | None, span: tuple[int, int] | None) -> None:
    """Raise `DatasetError` if another performance is the same part of the video.

    Two athletes may perform at once. Then somebody points at each, and this is not asked.
    """
    for row in video.rows:
        if row is not replaced and _is_part(row, span):
            raise DatasetError(
                f"this part of the video is the performance {row.video_id!r} already: change the start or "
                "the end, or point at another athlete"
            )


def _is_part(row: LabelRow, span: tuple[int, int] | None) -> bool:
    try:
        return part_of(row) == span
    except DatasetError:
        return False


def _span(timeline: Timeline, form: Form, reasons: Reasons) -> tuple[int, int] | None:
    """Return the frames [start, stop) of the form, whose end is included; None for the whole file."""
    start, end = (form[name].strip() for name in TIMES)
    if not start and not end:
        return None
    first = reasons.of("start", lambda: frame_shown(timeline, start, name="the start") if start else 0, 0)
    last = timeline.num_frames - 1
    if end:
        last = reasons.of("end", lambda: frame_shown(timeline, end, name="the end"), last)
    if last < first:
        reasons["end"] = f"the end {end} is before the start {start}"
    return first, last + 1


def _box(frames: FrameList, span: tuple[int, int] | None, form: Form) -> AthleteBox | None:
    """Return the box that was drawn, or None. Raise `DatasetError` for one that cannot be the athlete."""
    if not form["box"].strip():
        return None
    try:
        x1, y1, x2, y2 = (float(share) for share in form["box"].split(","))
    except ValueError as error:
        raise DatasetError("the athlete's box cannot be read: draw it again") from error
    timeline = frames.timeline
    frame = frame_shown(timeline, form["box_at"] or form["start"] or "0", name="the athlete's box")
    start, stop = span or (0, timeline.num_frames)
    footage = Footage(
        width=frames.width,
        height=frames.height,
        num_frames=timeline.num_frames,
        start_frame=start,
        stop_frame=stop,
        fps=timeline.num_frames / timeline.duration_seconds,
    )
    if not start <= frame < stop:
        raise DatasetError(
            "the athlete's box is in a frame outside of the performance: draw it between its ends"
        )
    return box_from_shares(frame, (x1, y1, x2, y2), footage)
