"""The first page: all videos of the project."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aqa.serve.pages import render
from aqa.serve.serving import serving_of
from aqa_pipeline.project.new import video_names

NAV = ("Videos", "/")


def library(request: Request) -> Response:
    """Show the names of the videos."""
    return render(request, "library.html", {"videos": video_names(serving_of(request).root)})


ROUTES = (Route("/", library),)
