"""Render a page of the web app. All text is escaped."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from aqa.serve.serving import serving_of


def render(
    request: Request, template: str, values: Mapping[str, Any], *, status_code: int = 200
) -> HTMLResponse:
    """Return the page; raise `jinja2.UndefinedError` if `values` lacks a value of the template."""
    serving = serving_of(request)
    shared = {"nav": serving.nav, "here": request.url.path, "project": serving.project.name}
    return HTMLResponse(_environment().get_template(template).render(shared, **values), status_code)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("aqa.serve"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
