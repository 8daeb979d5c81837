"""The page of one or several runs: its content as plain values, and how it is written."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from heads.pages.rendering import data_uri, write_page

WIDEST_ON_PHONE = 360.0  # points, 4/3 as many pixels


@dataclass(frozen=True)
class Picture:
    """A plot of the page: its SVG, and a description of what it shows."""

    title: str
    alt: str
    svg: str
    note: str = ""

    @property
    def is_wide(self) -> bool:
        """True if the plot is too wide to be shrunk to a phone: its text would be too small."""
        width = re.search(r'<svg[^>]* width="([0-9.]+)pt"', self.svg)
        return width is None or float(width[1]) > WIDEST_ON_PHONE

    @property
    def source(self) -> str:
        """The SVG as a data URI: scripts in an SVG do not run inside a picture."""
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
    """A test video with a large error, with the address of its page, or the reason why it has none."""

    video: str
    split: str
    true: str
    predicted: str
    error: str
    page: str
    reason: str


@dataclass(frozen=True)
class RunTables:
    """The numbers of one run; `every_seed` is folded. `baselines` is None for a run without any."""

    metrics: TableOf
    every_seed: TableOf
    baselines: TableOf | None = None


@dataclass(frozen=True)
class RunSection:
    """One run. Texts are plain; rendering escapes them. `learning_curves` are folded."""

    title: str
    place: str
    flags: tuple[str, ...]
    headline: tuple[tuple[str, str, str], ...]
    notes: tuple[str, ...]
    tables: RunTables
    pictures: Sequence[Picture]
    learning_curves: Sequence[Picture]
    worst: Sequence[WorstVideo]
    facts: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Comparing:
    """The comparison above several runs. Tables have titles; `more_tables` are folded."""

    picture: Picture
    tables: Sequence[tuple[str, TableOf]]
    more_tables: Sequence[tuple[str, TableOf]]


@dataclass(frozen=True)
class RunPage:
    """The content of the page; `comparison` is None for one run, which is shown unfolded."""

    title: str
    runs: Sequence[RunSection]
    comparison: Comparing | None = None


def write_run_page(path: Path, page: RunPage) -> Path:
    """Write the page as one self-contained file without scripts; return its path."""
    return write_page(path, "run.html", {"page": page})
