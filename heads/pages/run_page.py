"""The page of one or several runs, as a record of plain values, and its writing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from heads.pages.rendering import data_uri, write_page

WIDEST_ON_PHONE = 360.0  # points, 4/3 as many pixels


@dataclass(frozen=True)
class Picture:
    """A plot in the page: its SVG, and what it shows in words."""

    title: str
    alt: str
    svg: str
    note: str = ""

    @property
    def is_wide(self) -> bool:
        """Whether its words would be too small on a phone, so that it is better scrolled than shrunk."""
        width = re.search(r'<svg[^>]* width="([0-9.]+)pt"', self.svg)
        return width is None or float(width[1]) > WIDEST_ON_PHONE

    @property
    def source(self) -> str:
        """The SVG as an address: inside a picture nothing of it can act."""
        return data_uri(self.svg.encode(), "image/svg+xml")


@dataclass(frozen=True)
class TableOf:
    """A table; the first `num_texts` columns are texts, the others numbers."""

    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    note: str = ""
    num_texts: int = 1


@dataclass(frozen=True)
class WorstVideo:
    """A test video far from the judges, with the address of its page, or the reason why it has none."""

    video: str
    split: str
    true: str
    predicted: str
    error: str
    page: str
    reason: str


@dataclass(frozen=True)
class RunSection:
    """One run; texts are plain and are escaped when rendered.

    `every_seed` and `more_pictures` are secondary: a reader opens them.
    """

    title: str
    place: str
    flags: tuple[str, ...]
    headline: tuple[tuple[str, str, str], ...]
    notes: tuple[str, ...]
    metrics: TableOf
    every_seed: TableOf
    pictures: Sequence[Picture]
    more_pictures: Sequence[Picture]
    worst: Sequence[WorstVideo]
    facts: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Comparing:
    """What stands above several runs. `tables` and `more_tables` have titles; a reader opens the latter."""

    picture: Picture
    tables: Sequence[tuple[str, TableOf]]
    more_tables: Sequence[tuple[str, TableOf]]


@dataclass(frozen=True)
class RunPage:
    """All that the page shows; `comparison` is None for one run, which is shown in full."""

    title: str
    runs: Sequence[RunSection]
    comparison: Comparing | None = None


def write_run_page(path: Path, page: RunPage) -> Path:
    """One self-contained file without scripts."""
    return write_page(path, "run.html", {"page": page})
