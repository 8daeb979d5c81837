"""A page of `aqa score` is told from a page of a stranger."""

import pytest

from aqa.serve.own_pages import KINDS, PageKind, kind_of_page
from heads.pages.rendering import asset
from heads.pages.score_page import SCRIPTS


def page(body: str) -> str:
    return f'<!DOCTYPE html><html><head><meta charset="utf-8"></head><body><main>{body}</main></body></html>'


def test_elements_and_scripts_of_score_pages_are_known() -> None:
    script = "".join(f"<script>{asset(name)}</script>" for name in SCRIPTS)
    shown = kind_of_page(page(f"<h1>7.5</h1><p>1 &lt; 2</p><video src='a.mp4'></video>{script}"))
    assert shown is not None
    assert "score.js" in shown.scripts
    policy = '<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;">'
    assert kind_of_page(policy + script)
    assert kind_of_page(page("<h1>7.5</h1>")) is None


def test_a_page_runs_the_scripts_of_its_own_kind() -> None:
    shown = kind_of_page(page(f"<h1>7.5</h1><script>{asset('attempts.js')}</script>"))
    assert shown is not None
    assert shown.scripts == ("attempts.js",)


@pytest.mark.parametrize(
    "foreign",
    [
        "<meta http-equiv=refresh content='0;url=http://evil.example'>",
        '<meta http-equiv="Content-Security-Policy" content=""><meta http-equiv="refresh" content="0">',
        "<link rel=preconnect href=http://evil.example>",
        "<LINK rel=stylesheet href=a.css>",
        "<iframe src=http://evil.example>",
        "<iframe/src=http://evil.example>",
        "<iFrAmE\nsrc=http://evil.example>",
        "<object data=x>",
        "<embed src=x>",
        "<base href=x>",
        "<form action=/learn method=post>",
        "<svg><use href=x></svg>",
        "<script src=http://evil.example/x.js integrity=sha256-x></script>",
        "<script a='>' src=http://evil.example/x.js></script>",
        "<!--><iframe>-->",
    ],
)
def test_anything_else_is_foreign(foreign: str) -> None:
    script = "".join(f"<script>{asset(name)}</script>" for name in SCRIPTS)
    assert kind_of_page(page(script + foreign)) is None


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.template)
def test_every_element_of_the_templates_is_known(kind: PageKind) -> None:
    templates = ("base.html", "parts.html", "scale.html", kind.template)
    files = (*(f"templates/{name}" for name in templates), *kind.scripts)
    assert kind.has("".join(map(asset, files)))
