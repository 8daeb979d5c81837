"""Pages of one video as `aqa score` makes them, of made-up scored videos."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from aqa_pipeline.records import Video
from aqa_pipeline.video import open_video
from heads.pages.media import Media, embed_media, link_media
from heads.pages.pictures import pictures_at
from heads.pages.score_page import (
    Mark,
    Moment,
    Outline,
    Place,
    Player,
    Scale,
    ScorePage,
    ShownScore,
    write_score_page,
)
from heads.pages.track import Track


def write_video(path: Path, *, seconds: float, fps: int = 10, width: int = 160, height: int = 96) -> Path:
    """H.264 of smooth noise that drifts, every frame a key frame: any moment can be shown at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(0).integers(0, 255, (height // 4, width // 4 * 3, 3), dtype=np.uint8)
    wide = coarse.repeat(4, axis=0).repeat(4, axis=1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"g": "1", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for index in range(round(seconds * fps)):
            left = index % (2 * width)
            frame = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(wide[:, left : left + width]), format="rgb24"
            )
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def intervals(step_seconds: float, number: int) -> np.ndarray:
    starts = step_seconds * np.arange(number)
    return np.stack([starts, starts + step_seconds], axis=1)


def weights(number: int) -> np.ndarray:
    raw = 1 + np.random.default_rng(number).random(number)
    return raw / raw.sum()


def effects(number: int) -> np.ndarray:
    """Return effects in points, the first ones below 0."""
    return np.linspace(-6.0, 5.0, number)


def make_page(video: Video, path: Path, *, title: str = "routine.mp4", embed: bool = False) -> Path:
    """Return a page as `aqa score` makes it, of a made-up scored video."""
    with open_video(video) as opened:
        seconds = opened.timeline.duration_seconds
        num_segments, num_crops = int(seconds // 3.2), int(seconds)
        tracks = [
            Track(
                "Segments", "effect", "effect", intervals(3.2, num_segments), effects(num_segments), 0.0, 40.0
            ),
            Track("Crops", "effect", "effect", intervals(1.0, num_crops), effects(num_crops), 0.0, 40.0),
            Track(
                "Attention to crops",
                "weight",
                "attention",
                intervals(1.0, num_crops),
                weights(num_crops),
                1 / num_crops,
            ),
            Track(
                "Clip scores", "score", "score", intervals(1.0, num_crops), 50 + 9 * weights(num_crops), 50.4
            ),
        ]
        outlines = [
            Outline(float(second), second + 1.0, ((0.1, 0.1), (0.4, 0.1), (0.4, 0.9), (0.1, 0.9)))
            for second in range(num_crops)
            if second != 2
        ]
        steps = [
            (track, level, step)
            for track in tracks
            if track.kind != "attention"
            for level in ("highest", "lowest")
            for step in track.steps(level)
        ]
        times = {
            f"{t.name} {step}": [float(t.pts_seconds[step, 0]) + share for share in (0.2, 0.5, 0.8)]
            for t, _, step in steps
        }
        times["film"] = [seconds * (part + 0.5) / 12 for part in range(12)]
        made = pictures_at(
            opened, times, heights=dict.fromkeys(times, 120), outlines=outlines, bare=("film",)
        )
        page = ScorePage(
            title=title,
            score=ShownScore(
                target="score",
                text="50.40",
                summary=("90% interval 40.00 to 60.80.", "Higher than 42 % of the training scores."),
                scale=Scale((Mark(0.0, "30"), Mark(1.0, "70")), (0.0, 0.4, 1.0), Place(0.51, (0.25, 0.77))),
            ),
            warnings=("The video is longer than every training video.", title),
            flags=("RANDOM WEIGHTS",),
            player=Player(
                media=embed_media(video, opened) if embed else link_media(video, opened, page=path),
                duration_seconds=seconds,
                outlines=outlines,
                filmstrip=tuple(made["film"]),
            ),
            tracks=tracks,
            moments=[
                Moment(
                    t.name,
                    level,
                    *map(float, t.pts_seconds[step]),
                    f"{t.values[step]:.4f}",
                    tuple(made[f"{t.name} {step}"]),
                )
                for t, level, step in steps
            ],
            facts=[("Video", title), ("Head", "action-net")],
        )
    return write_score_page(path, page)


def ready(browser, page: Path, **how):
    browser.open(page, **how)
    browser.wait("document.getElementById('video').readyState >= 2")
    return browser


def place(browser, selector: str) -> dict[str, float]:
    return browser.js(f"document.querySelector({selector!r}).getBoundingClientRect().toJSON()")


def empty_page() -> ScorePage:
    """Return a page without a video: a head that saw one step."""
    return ScorePage(
        title="short",
        score=ShownScore(
            target="score",
            text="1.00",
            summary=("No interval.",),
            scale=Scale((Mark(0.0, "0"), Mark(1.0, "1")), (), Place(0.5, (0.0, 1.0))),
        ),
        warnings=(),
        flags=(),
        player=Player(Media("", 0.0, "", 96, 64), 1.0, outlines=()),
        tracks=[Track("Crops", "effect", "effect", intervals(1.0, 1), np.array([0.0]), 0.0, 40.0)],
        moments=(),
        facts=(),
    )


@pytest.fixture(scope="session")
def drifting_video() -> Callable[..., Path]:
    """Return the function `write_video`."""
    return write_video


@pytest.fixture(scope="session")
def score_page() -> Callable[..., Path]:
    """Return the function `make_page`."""
    return make_page


@pytest.fixture
def bare_page() -> ScorePage:
    """Return the page of `empty_page`."""
    return empty_page()


@pytest.fixture(scope="session", name="intervals")
def _intervals() -> Callable[[float, int], np.ndarray]:
    """Return the function `intervals`."""
    return intervals


@pytest.fixture(scope="session", name="weights")
def _weights() -> Callable[[int], np.ndarray]:
    """Return the function `weights`."""
    return weights


@pytest.fixture(scope="session", name="ready")
def _ready() -> Callable[..., Any]:
    """Return the function `ready`."""
    return ready


@pytest.fixture(scope="session", name="place")
def _place() -> Callable[..., dict[str, float]]:
    """Return the function `place`."""
    return place
