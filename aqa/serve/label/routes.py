"""The addresses of the label page."""

from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from aqa.serve.label.catalog import LabeledVideo, labeled_videos, video_named
from aqa.serve.label.form import Form, empty_form, form_of, iso_day, read_form
from aqa.serve.label.save import remove, save
from aqa.serve.label.view import page_values
from aqa.serve.pages import render
from aqa.serve.serving import Serving, serving_of
from aqa_pipeline.datasets.writing.entry import EntryRefused
from aqa_pipeline.datasets.writing.label_table import LabelTable, TableChanged, read_label_table
from aqa_pipeline.errors import DatasetError

AT = "/label"
NAV = ("Label", AT)
REFUSED, CHANGED = 422, 409


def show(request: Request) -> Response:
    """Show a video with the form of one of its performances, or with an empty form."""
    serving, asked = serving_of(request), request.query_params
    table = read_label_table(serving.root)
    videos = labeled_videos(serving.root, table)
    video = video_named(videos, asked["video"]) if "video" in asked else _first(videos)
    form = _form(serving, table, video, asked.get("id", ""), is_new="new" in asked)
    saved = asked.get("saved", "")
    known = saved if video and any(row.video_id == saved for row in video.rows) else ""
    return render(request, "label.html", page_values(serving, table, videos, video, form, saved=known))


async def post(request: Request) -> Response:
    """Save the form, and go on; show it again with the reasons if it is refused."""
    form = await read_form(request)
    return await run_in_threadpool(_save, request, form)


async def post_removal(request: Request) -> Response:
    """Remove a performance from the table."""
    form = await read_form(request)
    return await run_in_threadpool(_remove, request, form)


def _save(request: Request, form: Form) -> Response:
    try:
        saved = save(serving_of(request).root, form)
    except EntryRefused as refused:
        return _again(request, form, refused.reasons, REFUSED)
    except TableChanged as error:
        return _again(request, form, {"form": str(error)}, CHANGED)
    if form["then"]:
        return _to({"video": form["then"]})
    is_part = form["start"].strip() or form["end"].strip()
    after = {"new": "1"} if is_part else {"id": saved}
    return _to({"video": form["video"], "saved": saved} | after)


def _remove(request: Request, form: Form) -> Response:
    try:
        remove(serving_of(request).root, form)
    except TableChanged as error:
        return _again(request, form, {"form": str(error)}, CHANGED)
    return _to({"video": form["video"]})


def _again(request: Request, form: Form, errors: dict[str, str], status_code: int) -> Response:
    """Show the form as it was sent, with reasons, and with the table as it is now."""
    serving = serving_of(request)
    table = read_label_table(serving.root)
    videos = labeled_videos(serving.root, table)
    video = video_named(videos, form["video"])
    if video.row(form["replaces"]) is None:
        form = {**form, "replaces": ""}
    values = page_values(serving, table, videos, video, form, errors=errors)
    return render(request, "label.html", values, status_code=status_code)


def _form(
    serving: Serving, table: LabelTable, video: LabeledVideo | None, video_id: str, *, is_new: bool
) -> dict[str, str]:
    """Return the form of the row of that id, of the video's only row, or of a new performance."""
    if video is None:
        return empty_form()
    rows = [row for row in video.rows if row is not video.untouched]
    row = video.row(video_id) if video_id else None
    if row is None and video_id:
        raise DatasetError(f"{video.name} has no performance {video_id!r} in {table.path.name}.")
    if row is None and len(rows) == 1 and not is_new:
        row = rows[0]
    if row is not None and row.video_id:
        return form_of(serving.root, video, row)
    last = rows[-1].fields if rows else {}
    likely = {"date": iso_day(last.get("date", "")), "element": last.get("element", "")}
    return empty_form() | {"video": video.name} | likely


def _first(videos: list[LabeledVideo]) -> LabeledVideo | None:
    """Return the first video without a score, or the first; None without videos."""
    return next((video for video in videos if not video.num_scored), videos[0] if videos else None)


def _to(query: dict[str, str]) -> Response:
    return RedirectResponse(f"{AT}?{urlencode(query)}", 303)


ROUTES = (
    Route(AT, show),
    Route(AT, post, methods=["POST"]),
    Route(f"{AT}/remove", post_removal, methods=["POST"]),
)
