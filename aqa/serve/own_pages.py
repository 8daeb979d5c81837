"""Tell a page that `aqa score` wrote from any other HTML file, before a browser sees it.

A Content-Security-Policy stops scripts, and all that a page loads. It does not stop
`<meta http-equiv="refresh">` from going to another site, `<link rel="preconnect">` and `<iframe>` from
opening a connection, nor a script of another server whose `integrity` names one of ours. So a page is shown
only if each of its elements is one that the templates of its kind have. An element begins with `<` and its
name as they stand: nothing else in a page's text can become one.
"""

import re
from dataclasses import dataclass
from functools import cached_property

from heads.pages.rendering import asset
from heads.pages.score_page import SCRIPTS

ELEMENT = re.compile(r"<([a-zA-Z][a-zA-Z0-9-]*)")
EXACT = re.compile(r"<(?:meta|link|script)\b[^>]*>")  # of the template; none is known in another form
FILLED_IN = re.compile(re.escape(re.escape("{{")) + ".*?" + re.escape(re.escape("}}")))


@dataclass(frozen=True)
class PageKind:
    """A kind of page that stands alone: the template of its content, and the only scripts that it runs."""

    template: str
    scripts: tuple[str, ...]

    def has(self, text: str) -> bool:
        """Return whether the page has the scripts and elements of this kind and version, and no others."""
        for script in map(asset, self.scripts):
            if script not in text:
                return False
            text = text.replace(script, "")
        text = self._exact_elements.sub("", text)
        return {name.lower() for name in ELEMENT.findall(text)} <= self._known_elements

    @cached_property
    def _exact_elements(self) -> re.Pattern[str]:
        """A pattern of the templates' `meta`, `link` and `script` tags, whatever is filled into them."""
        lines = (re.escape(line) for line in EXACT.findall(self._templates))
        return re.compile("|".join(FILLED_IN.sub('[^"<>]*', line) for line in lines))

    @cached_property
    def _known_elements(self) -> frozenset[str]:
        return frozenset(name.lower() for name in ELEMENT.findall(EXACT.sub("", self._templates)))

    @cached_property
    def _templates(self) -> str:
        names = ("base.html", "parts.html", "scale.html", self.template)
        return "\n".join(asset(f"templates/{name}") for name in names)


KINDS = (PageKind("score.html", SCRIPTS), PageKind("attempts.html", ("attempts.js",)))


def kind_of_page(text: str) -> PageKind | None:
    """Return what kind of page this is; None for one that this version of `aqa score` did not write."""
    return next((kind for kind in KINDS if kind.has(text)), None)
