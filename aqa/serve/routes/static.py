"""Styles and scripts: those of this package, and the style that the score pages share."""

from importlib.resources import files

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from heads.pages.rendering import asset

NAV = None
MEDIA_TYPES = {"css": "text/css", "js": "text/javascript"}
OF_SCORE_PAGES = ("page.css",)


def static(request: Request) -> Response:
    """Return a file of `static/` by its name."""
    name = request.path_params["name"]
    if name in OF_SCORE_PAGES:
        return Response(asset(name), media_type=MEDIA_TYPES["css"])
    known = {each.name: each for each in files("aqa.serve").joinpath("static").iterdir()}
    if name not in known:
        raise HTTPException(404, "There is no such file.")
    return Response(known[name].read_bytes(), media_type=MEDIA_TYPES[name.rpartition(".")[2]])


ROUTES = (Route("/static/{name}", static),)
