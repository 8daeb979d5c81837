"""Small pictures of the videos. Each is drawn once, when a browser first asks for it."""

import re
import threading
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aqa.serve.looking.look import draw_picture
from aqa.serve.own_folders import STATE, own_folder
from aqa.serve.project_files import shown_file
from aqa.serve.score_files import page_of
from aqa.serve.serving import Serving, serving_of
from aqa_pipeline.disk.files import write_whole
from aqa_pipeline.errors import VideoError

NAV = None
LIKE_A_FRAME = re.compile(r"[0-9]{1,9}")
_one_at_a_time = threading.Lock()  # jobs need the processor too


def thumbnail(request: Request) -> Response:
    """Return a frame of a video as a JPEG, the middle one without `?frame=`; 404 for a file that has none."""
    serving, name = serving_of(request), request.path_params["name"]
    video = shown_file(serving, name)
    if video is None or video.suffix == ".html":
        raise HTTPException(404, "The project has no such video.")
    asked = request.query_params.get("frame", "")
    content = _picture(serving, video, name, frame=int(asked) if LIKE_A_FRAME.fullmatch(asked) else None)
    if not content:
        raise HTTPException(404, "This video has no picture.")
    return Response(content, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=60"})


def _picture(serving: Serving, video: Path, name: str, *, frame: int | None) -> bytes:
    """Return the picture as it is kept, drawn anew if the video is newer; empty if it cannot be drawn."""
    ending = ".jpg" if frame is None else f".{frame}.jpg"
    kept = own_folder(serving.folder, STATE, "pictures") / page_of(name).with_suffix(ending).name
    with _one_at_a_time:
        if not kept.is_file() or kept.stat().st_mtime < video.stat().st_mtime:
            try:
                draw_picture(video, kept, frame=frame)
            except VideoError:
                write_whole(kept, b"")
        return kept.read_bytes()


ROUTES = (Route("/thumbnail/{name:path}", thumbnail),)
