"""Build the web app of a project from its route modules."""

import importlib
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from aqa.serve.guard import Guard
from aqa.serve.pages import render
from aqa.serve.serving import MAX_UPLOAD_BYTES, Serving
from aqa_pipeline.errors import AqaError
from aqa_pipeline.project.find import Project

ROUTE_MODULES = ("aqa.serve.routes.library", "aqa.serve.routes.files", "aqa.serve.routes.static")


def build_app(project: Project, token: str, *, max_upload_bytes: int = MAX_UPLOAD_BYTES) -> Starlette:
    """Return the ASGI app of the project, which answers only callers with the token.

    Raises `DatasetError` if the videos lie outside of the project's folder.
    """
    modules = [importlib.import_module(name) for name in ROUTE_MODULES]
    routes: Sequence[BaseRoute] = [route for module in modules for route in module.ROUTES]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Guard, token=token)],
        exception_handlers={AqaError: _show_error, HTTPException: _show_error},
    )
    nav = tuple(module.NAV for module in modules if module.NAV)
    app.state.serving = Serving(project, max_upload_bytes, nav)
    return app


def _show_error(request: Request, error: Exception) -> Response:
    """Return a page with the error's message: 400 for a domain error, else the status of the error."""
    status, message = (
        (error.status_code, error.detail) if isinstance(error, HTTPException) else (400, str(error))
    )
    return render(request, "error.html", {"message": message}, status_code=status)
