"""The page of one scored video: its content as plain values, and how it is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from heads.pages.media import Media
from heads.pages.rendering import write_page
from heads.pages.track import Level, Track

TICK_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)
MOST_TICKS, CLEAR_OF_ENDS = 8, 0.09
SCRIPTS = ("vendor/uPlot.iife.min.js", "score.js")


@dataclass(frozen=True)
class Outline:
    """The athlete's outline during [start, stop) seconds: corners (x, y) as shares of width and height.

    `bones` are lines x1, y1, x2, y2 of the skeleton, in the same shares. `angles` are pairs of a joint's
    name and its angle in degrees. `at` is the time of the frame in which a box was found: between two such
    frames, the page moves the box. A quad of a tube belongs to one frame and has none.
    """

    start: float
    stop: float
    corners: tuple[tuple[float, float], ...]
    bones: tuple[tuple[float, float, float, float], ...] = ()
    angles: tuple[tuple[str, int], ...] = ()
    at: float | None = None


@dataclass(frozen=True)
class Moment:
    """A step among the highest or lowest, with its pictures (data URIs); times in seconds.

    A click jumps to `jump`, or to `start` if `jump` is None. `frame` is the start of the frame that the
    player shows then. If steps overlap, `jump` lies after `start`, where the step's own bar begins.
    """

    track: str
    level: Level
    start: float
    stop: float
    value: str
    pictures: tuple[str, ...]
    jump: float | None = None
    frame: float | None = None


@dataclass(frozen=True)
class Mark:
    """A text below a scale; `place` is a share of its length."""

    place: float
    text: str


@dataclass(frozen=True)
class Place:
    """The place of a score and of its interval on a scale, as shares of its length."""

    score: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Scale:
    """A score on a scale with round numbers; places are shares of the scale's length.

    `ticks` are the training scores. `note` is the legend.
    """

    marks: tuple[Mark, ...]
    ticks: tuple[float, ...]
    place: Place
    note: str = "shaded: the interval; each line: one training score"


@dataclass(frozen=True)
class Link:
    """A link to another page: its address and its text."""

    address: str
    text: str


@dataclass(frozen=True)
class TubeStrip:
    """The intervals in which the tracker followed the athlete: `looked` without `lost`.

    Intervals are [start, stop) seconds; `restarts` are times. `words` say the same as text.
    """

    looked: tuple[float, float]
    lost: tuple[tuple[float, float], ...]
    restarts: tuple[float, ...]
    words: str


@dataclass(frozen=True)
class ShownScore:
    """The large number: what it is of, and in words; `scale` is None if the video is not scored."""

    target: str
    text: str
    summary: tuple[str, ...]
    scale: Scale | None


@dataclass(frozen=True, eq=False)
class Player:
    """The video with the athlete's outlines over it, and the pictures and the tube of its timeline.

    `frame_seconds` is the mean duration of a frame, for steps from frame to frame.
    """

    media: Media
    duration_seconds: float
    outlines: Sequence[Outline]
    filmstrip: tuple[str, ...] = ()
    tube: TubeStrip | None = None
    frame_seconds: float = 0.04


@dataclass(frozen=True, eq=False)
class ScorePage:
    """The content of the page. Texts are plain; rendering escapes them.

    `measured` are rows of texts: fact, value, uncertainty, interval, unit, and what it rests on. `back` links
    to the page that links here.
    """

    title: str
    score: ShownScore
    warnings: tuple[str, ...]
    flags: tuple[str, ...]
    player: Player
    tracks: Sequence[Track]
    moments: Sequence[Moment]
    facts: Sequence[tuple[str, str]]
    measured: Sequence[tuple[str, ...]] = ()
    back: Link | None = None


def write_score_page(path: Path, page: ScorePage) -> Path:
    """Write the page as one file, with the video embedded or linked; return its path."""
    duration = page.player.duration_seconds
    ticks = [(time / duration, clock(time)[:-2]) for time in time_ticks(duration)]
    values = {"page": page, "data": _for_script(page), "clock": clock, "ticks": ticks}
    return write_page(path, "score.html", values, scripts=SCRIPTS)


def _for_script(page: ScorePage) -> dict[str, object]:
    return {
        "duration": page.player.duration_seconds,
        "offset": page.player.media.offset_seconds,
        "frame": page.player.frame_seconds,
        "tracks": [
            {
                "name": track.name,
                "kind": track.kind,
                "starts": np.round(track.bars[:, 0], 4).tolist(),
                "stops": np.round(track.bars[:, 1], 4).tolist(),
                "jumps": np.round(track.shown_at[:, 0], 6).tolist(),
                "frames": np.round(track.shown_at[:, 1], 6).tolist(),
                "labels": track.labels,
                "values": [float(f"{value:.5g}") for value in track.values],
                "levels": track.levels,
                "reference": track.reference,
                "ends": [float(f"{end:.5g}") for end in track.ends],
            }
            for track in page.tracks
        ],
        "outlines": [
            {
                "start": round(each.start, 4),
                "stop": round(each.stop, 4),
                "corners": np.round(each.corners, 4).tolist(),
                **({"bones": np.round(each.bones, 4).tolist()} if each.bones else {}),
                **({"angles": dict(each.angles)} if each.angles else {}),
                **({} if each.at is None else {"at": round(each.at, 4)}),
            }
            for each in page.player.outlines
        ],
    }


def time_ticks(duration_seconds: float) -> list[float]:
    """Return at most eight evenly spaced ticks of a time axis, in whole seconds, away from its ends."""
    increment = next(
        (each for each in TICK_SECONDS if duration_seconds / each <= MOST_TICKS), TICK_SECONDS[-1]
    )
    ticks = np.arange(0, duration_seconds, increment)
    first, last = CLEAR_OF_ENDS * duration_seconds, (1 - CLEAR_OF_ENDS) * duration_seconds
    return [float(tick) for tick in ticks if first < tick < last]


def clock(seconds: float) -> str:
    """Return seconds as minutes, seconds and tenths: 71.25 -> "1:11.2"."""
    tenths = int(round(seconds * 10, 6))
    return f"{tenths // 600}:{tenths // 10 % 60:02d}.{tenths % 10}"
