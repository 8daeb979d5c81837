"""Tell a score page from any other HTML file, before a browser sees it.

A Content-Security-Policy stops scripts, and all that a page loads. It does not stop
`<meta http-equiv="refresh">` from going to another site, `<link rel="preconnect">` and `<iframe>` from
opening a connection, nor a script of another server whose `integrity` names one of ours. So a page is shown
only if each of its elements is one that the template of score pages has. An element begins with `<` and its
name as they stand: nothing else in a page's text can become one.
"""

import re
from functools import cache

from heads.pages.rendering import asset
from heads.pages.score_page import SCRIPTS

TEMPLATES = ("base.html", "score.html", "parts.html", "scale.html")
ELEMENT = re.compile(r"<([a-zA-Z][a-zA-Z0-9-]*)")
EXACT = re.compile(r"<(?:meta|link|script)\b[^>]*>")  # of the template; none is known in another form
FILLED_IN = re.compile(re.escape(re.escape("{{")) + ".*?" + re.escape(re.escape("}}")))


def is_score_page(text: str) -> bool:
    """Return whether the page has no other elements and no other scripts than score pages of this version."""
    for name in SCRIPTS:
        text = text.replace(asset(name), "")
    text = _exact_elements().sub("", text)
    return {name.lower() for name in ELEMENT.findall(text)} <= _known_elements()


@cache
def _exact_elements() -> re.Pattern[str]:
    """Return a pattern of the template's `meta`, `link` and `script` tags, whatever is filled into them."""
    lines = (re.escape(line) for line in EXACT.findall(_templates()))
    return re.compile("|".join(FILLED_IN.sub('[^"<>]*', line) for line in lines))


@cache
def _known_elements() -> frozenset[str]:
    return frozenset(name.lower() for name in ELEMENT.findall(EXACT.sub("", _templates())))


def _templates() -> str:
    return "\n".join(asset(f"templates/{name}") for name in TEMPLATES)
