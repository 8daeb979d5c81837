"""Rendering of a template into one HTML file that works from disk.

Styles, scripts and pictures are inlined; all text is escaped. The Content-Security-Policy of a page forbids
connections, and all scripts but the page's own (by SHA-256): text that escaping missed can do nothing.
"""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from aqa_pipeline.store import write_whole

# Pictures are inlined. A video is inlined or lies beside the page: a file, or on the page's own server.
POLICY = (
    "default-src 'none'; img-src data:; media-src 'self' file: data:; style-src 'unsafe-inline'; "
    "script-src {scripts}; base-uri 'none'; form-action 'none'"
)


def write_page(
    path: Path, template: str, values: Mapping[str, Any], *, scripts: tuple[str, ...] = ()
) -> Path:
    """Render `template` with `values` and the named scripts into the file `path`; return the path.

    The file is put in place only when it is complete.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, render_page(template, values, scripts=scripts).encode())
    return path


def render_page(template: str, values: Mapping[str, Any], *, scripts: tuple[str, ...] = ()) -> str:
    """Return the page as text; raise `jinja2.UndefinedError` if `values` lacks a value of the template."""
    return (
        page_templates("heads.pages")
        .get_template(template)
        .render(
            values,
            policy=page_policy(scripts),
            scripts=[Markup(asset(name)) for name in scripts],  # our own files
            styles=[Markup(asset(name)) for name in ("vendor/uPlot.min.css", "page.css")],
        )
    )


def page_policy(scripts: tuple[str, ...]) -> str:
    """Return the Content-Security-Policy of a page that runs these files of this package and nothing else."""
    return POLICY.format(scripts=" ".join(_digest(asset(name)) for name in scripts) or "'none'")


@cache
def asset(name: str) -> str:
    """Return the text of a file of this package."""
    return files("heads.pages").joinpath(name).read_text(encoding="utf-8")


def _digest(source: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"


@cache
def page_templates(package: str) -> Environment:
    """Return the templates of a package. All text is escaped, and a value that is missing is an error."""
    return Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def data_uri(content: bytes, media_type: str) -> str:
    """Return the bytes as a data URI."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"
