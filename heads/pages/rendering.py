"""Templates to one HTML file that works from disk: everything inlined, everything from outside escaped.

The page's Content-Security-Policy forbids every connection and every script but those that it came with (by
their SHA-256), so that a name that slipped through the escaping could still do nothing.
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
    """Renders `template` with `values` and the named scripts into one file, in place only when whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, render_page(template, values, scripts=scripts).encode())
    return path


def render_page(template: str, values: Mapping[str, Any], *, scripts: tuple[str, ...] = ()) -> str:
    """The page as text; raises `jinja2.UndefinedError` for a value that the template lacks."""
    sources = [asset(name) for name in scripts]
    policy = POLICY.format(scripts=" ".join(map(_digest, sources)) or "'none'")
    return (
        _environment()
        .get_template(template)
        .render(
            values,
            policy=policy,
            scripts=[Markup(source) for source in sources],  # our own files
            styles=[Markup(asset(name)) for name in ("vendor/uPlot.min.css", "page.css")],
        )
    )


@cache
def asset(name: str) -> str:
    """The text of one of this package's own files."""
    return files("heads.pages").joinpath(name).read_text(encoding="utf-8")


def _digest(source: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("heads.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def data_uri(content: bytes, media_type: str) -> str:
    """The bytes as an address that needs no file."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"
