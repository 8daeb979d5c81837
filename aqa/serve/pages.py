"""Render a page of the web app. All text is escaped."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from aqa.serve.serving import serving_of
from heads.pages.rendering import page_templates


def render(
    request: Request, template: str, values: Mapping[str, Any], *, status_code: int = 200
) -> HTMLResponse:
    """Return the page; raise `jinja2.UndefinedError` if `values` lacks a value of the template."""
    serving = serving_of(request)
    shared = {"nav": serving.nav, "here": request.url.path, "project": serving.project.name}
    return HTMLResponse(
        page_templates("aqa.serve").get_template(template).render(shared, **values), status_code
    )
