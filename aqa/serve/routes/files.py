"""Send videos, of which a player asks for parts, and score pages as `aqa score` wrote them."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from aqa.serve.project_files import AT, shown_file
from aqa.serve.serving import serving_of
from heads.pages.media import PLAYABLE
from heads.pages.rendering import page_policy
from heads.pages.score_page import SCRIPTS

NAV = None


def project_file(request: Request) -> Response:
    """Return a video, or a score page that can run the scripts of score pages and no others."""
    found = shown_file(serving_of(request), request.path_params["name"])
    if found is None:
        raise HTTPException(404, "The project has no such video or page.")
    if found.suffix == ".html":
        policy = f"{page_policy(SCRIPTS)}; frame-ancestors 'none'"
        return FileResponse(found, media_type="text/html", headers={"Content-Security-Policy": policy})
    media_type, _ = PLAYABLE.get(found.suffix.lower(), ("application/octet-stream", set()))
    return FileResponse(found, media_type=media_type)


ROUTES = (Route(f"{AT}{{name:path}}", project_file),)
