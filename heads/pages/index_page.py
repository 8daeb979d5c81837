"""The index page of several scored videos: its content as plain values, and how it is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from heads.pages.rendering import write_page
from heads.pages.score_page import Mark, Place


@dataclass(frozen=True)
class IndexRow:
    """One scored video. `page` is the address of its own page; empty if it has none.

    `spread` follows the score: the half width of its interval, or the class whose probability it is.
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
    """The content of the page. Texts are plain; rendering escapes them.

    `marks` are the numbers of the common scale. `failures` are (name, reason) of videos without a score or
    without a page. `not_scored` are (name, reason, page) of videos whose score would mean nothing.
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
    """Write the page as one self-contained file without scripts; return its path."""
    return write_page(path, "index.html", {"page": page})
