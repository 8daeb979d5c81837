"""The page over several scored videos, as a record of plain values, and its writing."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from heads.pages.rendering import write_page
from heads.pages.score_page import Mark, Place


@dataclass(frozen=True)
class IndexRow:
    """One scored video. `page` is the address of its own page, empty where it has none.

    `spread` stands behind the score: its interval, or the class whose probability it is.
    """

    video: str
    page: str
    score: str
    spread: str
    place: Place
    percentile: str
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class IndexPage:
    """All that the page shows; texts are plain and are escaped when rendered.

    `marks` are the numbers of the common scale. `failures` are videos without a score, or without a page,
    each with the reason. `not_scored` are videos whose score would mean nothing: name, reason, page.
    """

    title: str
    run: str
    target: str
    flags: tuple[str, ...]
    notes: tuple[str, ...]
    marks: tuple[Mark, ...]
    rows: Sequence[IndexRow]
    failures: Sequence[tuple[str, str]]
    not_scored: Sequence[tuple[str, str, str]] = ()


def write_index_page(path: Path, page: IndexPage) -> Path:
    """One self-contained file without scripts."""
    return write_page(path, "index.html", {"page": page})
