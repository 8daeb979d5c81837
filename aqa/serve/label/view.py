"""The values of the template of the label page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aqa.serve.label.catalog import LabeledVideo, is_mark, marks_of, named_boxes, part_of
from aqa.serve.label.footage import facts_of, frames_of
from aqa.serve.label.form import MARK, Form
from aqa.serve.project_files import address_of
from aqa.serve.serving import Serving
from aqa_pipeline.datasets.writing.athlete_box import BoxesOfAnother, read_athlete_box
from aqa_pipeline.datasets.writing.entry import SCORE, TARGET
from aqa_pipeline.datasets.writing.label_table import LabelRow, LabelTable
from aqa_pipeline.datasets.writing.span import clock, player_seconds
from aqa_pipeline.errors import AqaError
from aqa_pipeline.sources.compare import ANNOTATIONS
from heads.pages.media import playable_as

NOBODY_POINTED = "Nobody is pointed at: the largest person of the first frame is followed."
USUAL_FPS = 25.0  # for the steps of a player whose file cannot be read here


@dataclass(frozen=True)
class ShownRow:
    """A performance in the list. `part` is its time in words; `start` and `stop` are its ends in seconds."""

    video_id: str
    part: str
    marks: Mapping[str, str]
    athlete: str
    date: str
    element: str
    start: float | None = None
    stop: float | None = None
    problem: str = ""


@dataclass(frozen=True)
class Player:
    """The video as the page plays it. `note` says why a browser may not; `frame_seconds` is one step."""

    source: str | None
    note: str
    frame_seconds: float
    width: int
    height: int


def page_values(
    serving: Serving,
    table: LabelTable,
    videos: Sequence[LabeledVideo],
    video: LabeledVideo | None,
    form: Form,
    *,
    errors: Mapping[str, str] | None = None,
    saved: str = "",
) -> dict[str, Any]:
    """Return the values of `label.html`: `errors` are reasons by field, `saved` is the id just saved."""
    columns = [name for name in table.columns if is_mark(name)]
    targets = [name for name in columns if name != SCORE]
    rows = [_shown(video, row) for row in video.rows if row is not video.untouched] if video else []
    player = _player(serving, video) if video else None
    return {
        "table": table.path.name,
        "digest": table.digest,
        "videos": videos,
        "video": video,
        "player": player,
        "rows": rows,
        "columns": {
            name: name.removeprefix(TARGET) for name in columns if name == SCORE or _used(rows, name)
        },
        "marks": {f"{MARK}{name}": name.removeprefix(TARGET) for name in [SCORE, *targets]},
        "form": form,
        "errors": errors or {},
        "saved": saved,
        "suggestions": {name: sorted(set(table.values(name))) for name in ("athlete", "element", "group")},
        "has_groups": bool(table.values("group")) or bool(form["group"]),
        "foreign_boxes": _foreign_boxes(serving, video.row(form["replaces"]) if video else None),
        "nobody_pointed": NOBODY_POINTED,
        "next": _next(videos, video),
        "data": _for_script(player, rows, form, saved),
    }


def _shown(video: LabeledVideo, row: LabelRow) -> ShownRow:
    start = stop = None
    part, problem = "whole video", ""
    try:
        frames = part_of(row)
        if frames is not None:
            timeline = frames_of(video.path).timeline
            last = (timeline.num_frames if frames[1] is None else frames[1]) - 1
            start, stop = player_seconds(timeline, frames[0]), player_seconds(timeline, max(0, last))
            part = f"{clock(start)} - {clock(stop)}"
    except AqaError as error:
        part, problem = "?", str(error)
    facts = {name: row.fields.get(name, "") for name in ("athlete", "date", "element")}
    return ShownRow(row.video_id or "", part, marks_of(row), **facts, start=start, stop=stop, problem=problem)


def _used(rows: Sequence[ShownRow], column: str) -> bool:
    return any(row.marks.get(column) for row in rows)


def _player(serving: Serving, video: LabeledVideo) -> Player:
    try:
        facts = facts_of(video.path)
    except AqaError as error:
        return Player(None, str(error), 1 / USUAL_FPS, 16, 9)
    _, why_not = playable_as(video.path, facts.codec)
    source = address_of(serving, video.path)
    if source is None:
        why_not = "The video lies outside of the project's folder, and is not played here."
    return Player(source, why_not, 1 / facts.fps, facts.width, facts.height)


def _foreign_boxes(serving: Serving, row: LabelRow | None) -> str:
    """Return why nobody is pointed at on this page: boxes of another hand; "" if there are none."""
    if (serving.project.file.detector or "").startswith(ANNOTATIONS):
        return (
            f"aqa.toml names the detector {ANNOTATIONS}, which reads boxes of all frames. None is drawn here."
        )
    if row is None or row.video_id is None:
        return ""
    if named := named_boxes(row):
        return named
    try:
        read_athlete_box(serving.root, row.video_id)
    except BoxesOfAnother as error:
        return str(error)
    except AqaError as error:
        return f"{error}. This page does not change them."
    return ""


def _next(videos: Sequence[LabeledVideo], video: LabeledVideo | None) -> str:
    """Return the name of the next video without a score, after this one and around; "" if there is none."""
    at = videos.index(video) + 1 if video in videos else 0
    around = [*videos[at:], *videos[:at]]
    return next((each.name for each in around if each is not video and not each.num_scored), "")


def _for_script(
    player: Player | None, rows: Sequence[ShownRow], form: Form, saved: str
) -> dict[str, object] | None:
    """Return what the script of the page reads: seconds of the player's clock, and shares of the picture."""
    if player is None:
        return None
    parts = [
        {"id": row.video_id, "start": row.start, "stop": row.stop} for row in rows if row.start is not None
    ]
    last = next((part["stop"] for part in parts if part["id"] == saved), None)
    return {
        "frame": player.frame_seconds,
        "parts": parts,
        "editing": form["replaces"],
        "continue": last,
        "nobodyPointed": NOBODY_POINTED,
    }
