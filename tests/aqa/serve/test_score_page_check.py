"""A page of `aqa score` is told from a page of a stranger."""

import pytest

from aqa.serve.score_page_check import is_score_page
from heads.pages.rendering import asset


def page(body: str) -> str:
    return f'<!DOCTYPE html><html><head><meta charset="utf-8"></head><body><main>{body}</main></body></html>'


def test_elements_and_scripts_of_score_pages_are_known() -> None:
    script = f"<script>{asset('score.js')}</script>"
    assert is_score_page(page(f"<h1>7.5</h1><p>1 &lt; 2</p><video src='a.mp4'></video>{script}"))
    assert is_score_page('<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;">')


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
    assert not is_score_page(page(foreign))


def test_every_element_of_the_templates_is_known() -> None:
    templates = ("base.html", "score.html", "parts.html", "scale.html")
    names = "".join(asset(f"templates/{name}") for name in templates)
    assert is_score_page(names)
