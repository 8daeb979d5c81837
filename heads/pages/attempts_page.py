"""The page of two attempts beside each other: its content as plain values, and how it is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from heads.pages.rendering import write_page
from heads.pages.score_page import Mark, Place, Player, clock, time_ticks
from heads.pages.track import ALL_BUT_EQUAL, Level, Track

PLOT_WIDTH, PLOT_HEIGHT = 1000.0, 48.0  # of the drawing of a track; the page stretches it
LEAST_BAR = 1.0  # so that the smallest effect is still seen


@dataclass(frozen=True)
class Bar:
    """One step of a track as a rectangle in its drawing, with its level and its text."""

    x: float
    y: float
    width: float
    height: float
    level: Level
    text: str


@dataclass(frozen=True, eq=False)
class AttemptColumn:
    """One of the two attempts: its name, its scores in words, its video and its timeline.

    `side` names the column in the page: "new" or "old". `scores` are pairs of a name and a value. `place`
    is the predicted score on the scale of both; None for a video that is not scored.
    """

    side: Literal["new", "old"]
    role: str
    title: str
    scores: Sequence[tuple[str, str]]
    player: Player
    tracks: Sequence[Track]
    place: Place | None

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Place (a share of the timeline) and text of each tick."""
        duration = self.player.duration_seconds
        return [(time / duration, clock(time)[:-2]) for time in time_ticks(duration)]


@dataclass(frozen=True, eq=False)
class AttemptsPage:
    """The content of the page. Texts are plain; rendering escapes them.

    `here` and `there` (pair,) are the seconds of the new and the old attempt that belong together;
    `alignment` says how they were found. `rows` compare the attempts: a name and a value for each.
    """

    title: str
    headline: str
    evidence: str
    sentences: Sequence[str]
    flags: Sequence[str]
    warnings: Sequence[str]
    new: AttemptColumn
    old: AttemptColumn
    here: NDArray[np.float64]
    there: NDArray[np.float64]
    alignment: str
    marks: Sequence[Mark]
    rows: Sequence[tuple[str, str, str]]
    facts: Sequence[tuple[str, str]]

    @property
    def columns(self) -> tuple[AttemptColumn, AttemptColumn]:
        """Both attempts, the new one first."""
        return self.new, self.old

    @property
    def is_upright(self) -> bool:
        """True if both pictures are higher than wide: a phone shows them side by side."""
        return all(c.player.media.height > c.player.media.width for c in self.columns)


def write_attempts_page(path: Path, page: AttemptsPage) -> Path:
    """Write the page as one file, with the videos embedded or linked; return its path."""
    values = {"page": page, "data": _for_script(page), "clock": clock, "bars": _bars_of(page)}
    return write_page(path, "attempts.html", values, scripts=("attempts.js",))


def _for_script(page: AttemptsPage) -> dict[str, object]:
    return {
        "here": np.round(page.here, 4).tolist(),
        "there": np.round(page.there, 4).tolist(),
        "alignment": page.alignment,
        "sides": [
            {
                "side": column.side,
                "duration": column.player.duration_seconds,
                "offset": column.player.media.offset_seconds,
                "frame": column.player.frame_seconds,
            }
            for column in page.columns
        ],
    }


def _bars_of(page: AttemptsPage) -> dict[str, list[list[Bar]]]:
    """Return the bars of each track by side; in both attempts, equal heights mean equal effects."""
    tallest: dict[str, float] = {}
    for column in page.columns:
        for track in column.tracks:
            least = ALL_BUT_EQUAL * track.usual_range
            tallest[track.stream] = max(tallest.get(track.stream, least), *map(abs, track.ends))
    return {
        column.side: [
            bars_of_track(track, column.player.duration_seconds, tallest=tallest[track.stream])
            for track in column.tracks
        ]
        for column in page.columns
    }


def bars_of_track(track: Track, duration_seconds: float, *, tallest: float) -> list[Bar]:
    """Return the bar of each step: upwards from the middle for an effect above 0, downwards below.

    An effect of `tallest` reaches the edge.
    """
    half, bars = PLOT_HEIGHT / 2, []
    for (start, stop), value, level, text in zip(
        track.bars, track.values, track.levels, track.labels, strict=True
    ):
        size = max(LEAST_BAR, half * abs(float(value)) / tallest) if tallest > 0 else LEAST_BAR
        left, right = (PLOT_WIDTH * float(each) / duration_seconds for each in (start, stop))
        top = half - size if value > 0 else half
        bars.append(Bar(left, top, max(0.0, right - left - 1), size, level, f"{clock(start)}: {text}"))
    return bars
