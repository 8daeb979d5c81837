"""The page of one scored video, as a record of plain values, and its writing."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.pages.media import Media
from aqa_pipeline.pages.rendering import write_page

ALL_BUT_EVEN = 0.2
NUM_MOMENTS = 4  # ACTION-NET's Figure 6 shows the four highest and the four lowest

Level = Literal["highest", "lowest", "other", "unseen"]


@dataclass(frozen=True)
class Outline:
    """Where the athlete is during [start, stop) seconds: corners x, y as shares of width and height."""

    start: float
    stop: float
    corners: tuple[tuple[float, float], ...]


@dataclass(frozen=True, eq=False)
class Track:
    """One row of the timeline: a value for each [start, stop) seconds of `pts_seconds` (time, 2).

    `kind` says whether the values are attention (weights that sum to 1; 0 where the head did not look) or
    the score that each step would get alone. `reference` is drawn as a line: equal weights, or the video's
    score.
    """

    name: str
    unit: str
    kind: Literal["attention", "score"]
    pts_seconds: NDArray[np.float64]
    values: NDArray[np.float64]
    reference: float

    @property
    def levels(self) -> list[Level]:
        """Which steps are among the highest and the lowest; in few steps, no more than half of them are."""
        seen = np.arange(len(self.values)) if self.kind == "score" else np.flatnonzero(self.values > 0)
        ranked = seen[np.argsort(-self.values[seen], kind="stable")]
        num = min(NUM_MOMENTS, len(ranked) // 2)
        levels: list[Level] = ["unseen"] * len(self.values)
        for step in seen:
            levels[step] = "other"
        for step in ranked[:num]:
            levels[step] = "highest"
        for step in ranked[len(ranked) - num :]:
            levels[step] = "lowest"
        return levels

    @property
    def spread(self) -> str:
        """How much the values differ, in words: a softmax may be all but even, which pictures do not show."""
        seen = self.values if self.kind == "score" else self.values[self.values > 0]
        if not len(seen):
            return "The head looked at no step."
        if self.kind == "score":
            return f"From {seen.min():.2f} to {seen.max():.2f}; the whole video: {self.reference:.2f}."
        low, high = seen.min() / self.reference, seen.max() / self.reference
        even = " That is all but even: no moment stands out." if high - low < ALL_BUT_EVEN else ""
        return (
            f"{len(seen)} steps; with equal weights each would have {self.reference:.4f}. "
            f"The weights are {low:.2f} to {high:.2f} times that.{even}"
        )

    def steps(self, level: Level) -> list[int]:
        """The steps of that level, the most telling first."""
        chosen = [step for step, each in enumerate(self.levels) if each == level]
        sign = 1 if level == "lowest" else -1
        return sorted(chosen, key=lambda step: sign * self.values[step])


@dataclass(frozen=True)
class Moment:
    """A step worth a look, with its pictures (addresses)."""

    track: str
    level: Level
    start: float
    stop: float
    value: str
    pictures: tuple[str, ...]


@dataclass(frozen=True)
class Scale:
    """The score on the scale of the training scores, everything as a share of the scale's length."""

    low: str
    high: str
    ticks: tuple[float, ...]
    score: float
    interval: tuple[float, float]


@dataclass(frozen=True, eq=False)
class ScorePage:
    """All that the page shows; texts are plain and are escaped when rendered."""

    title: str
    target: str
    score: str
    summary: tuple[str, ...]
    warnings: tuple[str, ...]
    flags: tuple[str, ...]
    scale: Scale
    duration_seconds: float
    media: Media
    filmstrip: tuple[str, ...]
    tracks: Sequence[Track]
    moments: Sequence[Moment]
    outlines: Sequence[Outline]
    facts: Sequence[tuple[str, str]]


def write_score_page(path: Path, page: ScorePage) -> Path:
    """One self-contained file; the video is in it or beside it."""
    values = {"page": page, "data": _for_script(page), "clock": clock}
    return write_page(path, "score.html", values, scripts=("vendor/uPlot.iife.min.js", "score.js"))


def _for_script(page: ScorePage) -> dict[str, object]:
    return {
        "duration": page.duration_seconds,
        "offset": page.media.offset_seconds,
        "tracks": [
            {
                "name": track.name,
                "unit": track.unit,
                "kind": track.kind,
                "starts": np.round(track.pts_seconds[:, 0], 4).tolist(),
                "stops": np.round(track.pts_seconds[:, 1], 4).tolist(),
                "values": [float(f"{value:.5g}") for value in track.values],
                "levels": track.levels,
                "reference": track.reference,
            }
            for track in page.tracks
        ],
        "outlines": [
            {"start": each.start, "stop": each.stop, "corners": np.round(each.corners, 4).tolist()}
            for each in page.outlines
        ],
    }


def clock(seconds: float) -> str:
    """71.25 -> "1:11.2"."""
    tenths = int(round(seconds * 10, 6))
    return f"{tenths // 600}:{tenths // 10 % 60:02d}.{tenths % 10}"
