"""Send videos, of which a player asks for parts, and score pages as `aqa score` wrote them."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from aqa.serve.own_pages import kind_of_page
from aqa.serve.project_files import AT, shown_file
from aqa.serve.serving import serving_of
from aqa_pipeline.untrusted.bounded_files import MIB, read_bounded_text
from heads.pages.media import PLAYABLE
from heads.pages.rendering import page_policy

NAV = None
LARGEST_PAGE = 256 * MIB  # with a video in it
FOREIGN_PAGE = "This page was not made by this version of `aqa score`: score the video again."
BACK = '<p class="back"><a href="/">← all videos</a></p>'


def project_file(request: Request) -> Response:
    """Return a video, or a score page that can run the scripts of score pages and no others."""
    found = shown_file(serving_of(request), request.path_params["name"])
    if found is None:
        raise HTTPException(404, "The project has no such video or page.")
    if found.suffix == ".html":
        page = read_bounded_text(found, most_bytes=LARGEST_PAGE)
        kind = kind_of_page(page)
        if kind is None:
            raise HTTPException(403, FOREIGN_PAGE)
        return own_page(page, scripts=kind.scripts)
    media_type, _ = PLAYABLE.get(found.suffix.lower(), ("application/octet-stream", set()))
    return FileResponse(found, media_type=media_type)


def own_page(page: str, *, scripts: tuple[str, ...]) -> Response:
    """Return one of our pages that stand alone, with a way back; it can run these scripts and no others."""
    policy = f"{page_policy(scripts)}; frame-ancestors 'none'"
    page = page.replace("<main>", f"<main>\n{BACK}", 1)
    return HTMLResponse(page, headers={"Content-Security-Policy": policy})


ROUTES = (Route(f"{AT}{{name:path}}", project_file),)
