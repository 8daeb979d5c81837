"""The fields of the form of the label page: read from a request, or filled from a row."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

from aqa.serve.label.catalog import LabeledVideo, marks_of, part_of
from aqa.serve.label.footage import frames_of
from aqa_pipeline.datasets.reading.field_values import calendar_date
from aqa_pipeline.datasets.writing.athlete_box import BoxesOfAnother, read_athlete_box
from aqa_pipeline.datasets.writing.label_table import LabelRow
from aqa_pipeline.datasets.writing.span import clock, player_seconds
from aqa_pipeline.errors import DatasetError

MOST_BYTES, MOST_FIELDS = 100_000, 200
MARK = "mark:"  # before the name of a column of marks
PLAIN = ("athlete", "date", "element", "group")
TIMES = ("start", "end")
NEW_MARK = ("new_name", "new_mark")
BOX = ("box", "box_at")
OTHERS = ("video", "replaces", "digest", "id", "then")

Form = Mapping[str, str]


def empty_form() -> dict[str, str]:
    """Return a form in which nothing is entered."""
    return dict.fromkeys((*OTHERS, *TIMES, *PLAIN, *NEW_MARK, *BOX), "")


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a request. Raise `HTTPException` for one that no form of this page sends."""
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > MOST_BYTES:
            raise HTTPException(413, f"The form is larger than {MOST_BYTES:,} bytes.")
    try:
        fields = parse_qsl(
            content.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"
        )
    except ValueError as error:
        raise HTTPException(400, "The form cannot be read.") from error
    return empty_form() | dict(fields)


def form_of(root: Path, video: LabeledVideo, row: LabelRow) -> dict[str, str]:
    """Return the form that shows a row.

    Raises `DatasetError` and `VideoError` if the part or the box of the row cannot be read.
    """
    assert row.video_id is not None
    form = empty_form() | {"video": video.name, "replaces": row.video_id, "id": row.video_id}
    form |= {name: row.fields.get(name, "") for name in PLAIN}
    form["date"] = iso_day(form["date"])
    form |= {MARK + column: text for column, text in marks_of(row).items()}
    if (part := part_of(row)) is not None:
        timeline = frames_of(video.path).timeline
        stop = timeline.num_frames if part[1] is None else part[1]
        form["start"] = clock(player_seconds(timeline, part[0]))
        form["end"] = clock(player_seconds(timeline, max(0, stop - 1)))
    return form | _box(root, video, row.video_id)


def _box(root: Path, video: LabeledVideo, video_id: str) -> dict[str, str]:
    """Return the athlete's box as shares of the picture, and when it is."""
    try:
        box = read_athlete_box(root, video_id)
    except BoxesOfAnother:
        return {}
    if box is None:
        return {}
    frames = frames_of(video.path)
    size = (frames.width, frames.height, frames.width, frames.height)
    shares = (corner / side for corner, side in zip(box.corners, size, strict=True))
    return {
        "box": ",".join(f"{share:.6f}" for share in shares),
        "box_at": clock(player_seconds(frames.timeline, box.frame_index)),
    }


def iso_day(text: str) -> str:
    """Return a date as 2026-05-08, or other text as it is."""
    try:
        return calendar_date(text, name="date").isoformat()
    except DatasetError:
        return text
