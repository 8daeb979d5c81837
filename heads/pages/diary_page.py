"""The page of a diary: scores over time with their intervals, for each athlete and element."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from heads.pages.rendering import write_page
from heads.pages.score_page import Mark


@dataclass(frozen=True)
class Point:
    """One attempt in a chart. All places are shares: `at` from the left, scores from the bottom.

    `judges` and `predicted` are None where unknown; `interval` belongs to the predicted score. `text` says
    all of it in words. `mark` is `best`, `latest`, both or nothing.
    """

    at: float
    judges: float | None
    predicted: float | None
    interval: tuple[float, float] | None
    text: str
    mark: str


@dataclass(frozen=True)
class DiaryRow:
    """One attempt in the table below a chart. `link` is the address of its video; empty for none."""

    day: str
    video: str
    link: str
    judges: str
    predicted: str
    mark: str


@dataclass(frozen=True)
class DiaryPart:
    """One element of an athlete. `days` are marks on the axis of time, `marks` on the axis of scores."""

    element: str
    summary: Sequence[str]
    points: Sequence[Point]
    days: Sequence[Mark]
    marks: Sequence[Mark]
    rows: Sequence[DiaryRow]


@dataclass(frozen=True)
class DiaryPage:
    """The content of the page: pairs of an athlete and the parts of the athlete's diary."""

    title: str
    notes: Sequence[str]
    athletes: Sequence[tuple[str, Sequence[DiaryPart]]]


def write_diary_page(path: Path, page: DiaryPage) -> Path:
    """Write the page as one file without scripts; return its path."""
    return write_page(path, "diary.html", {"page": page})
