"""A project with three videos that can be played, and a client of its label page."""

import re
import shutil
from collections.abc import Callable
from fractions import Fraction
from html import unescape
from pathlib import Path

import av
import numpy as np
import pytest

FPS, NUM_FRAMES, WIDTH, HEIGHT = 10, 60, 160, 120


def write_video(path: Path, *, seed: int) -> None:
    """Write smooth noise, every frame a key frame: a player can jump anywhere at once."""
    noise = np.random.default_rng(seed)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"g": "1", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for _ in range(NUM_FRAMES):
            coarse = noise.integers(0, 255, (HEIGHT // 20, WIDTH // 20, 3), dtype=np.uint8)
            picture = coarse.repeat(20, axis=0).repeat(20, axis=1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


@pytest.fixture(scope="session")
def three_videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with three videos of six seconds, which tests copy."""
    folder = tmp_path_factory.mktemp("videos")
    for seed, name in enumerate(("monday.mp4", "second.mp4", "third.mp4")):
        write_video(folder / name, seed=seed)
    return folder


@pytest.fixture(scope="session")
def uneven_video(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[float]]:
    """Return a video whose frames last for 0.1 to 0.5 seconds, and when each of its frames begins."""
    path, times = tmp_path_factory.mktemp("uneven") / "uneven.mp4", [0.0, 0.1, 0.2, 0.7, 0.8, 1.1, 1.25, 1.4]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for at, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(np.full((HEIGHT, WIDTH, 3), 30 * at, np.uint8), format="rgb24")
            frame.pts, frame.time_base = round(1000 * time), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path, times


@pytest.fixture
def folder(tmp_path: Path, three_videos: Path) -> Path:
    """Return the folder of a new project, as `aqa init` leaves it."""
    made = tmp_path / "club"
    (made / "videos").mkdir(parents=True)
    for video in three_videos.iterdir():
        shutil.copy(video, made / "videos")
    (made / "aqa.toml").write_text("")
    (made / "scores.csv").write_text("video,score,group\nmonday.mp4,,\nsecond.mp4,,\nthird.mp4,,\n")
    return made


@pytest.fixture
def digest(client) -> Callable[[], str]:
    """Return a function that opens the page and returns the digest of its form."""

    def read() -> str:
        found = re.search(r'name="digest" value="([^"]*)"', client.get("/label").text)
        assert found is not None
        return found[1]

    return read


@pytest.fixture
def fill(client, digest) -> Callable[..., object]:
    """Return a function that sends the form of a video with some fields filled in."""

    def send(video: str = "monday.mp4", **fields: str):
        marks = {name.replace("__", ":"): text for name, text in fields.items()}
        return client.post("/label", data={"video": video, "digest": digest()} | marks)

    return send


@pytest.fixture(scope="session")
def reasons() -> Callable[[str], dict[str, str]]:
    """Return a function that reads the reasons from a page, by field."""

    def read(page: str) -> dict[str, str]:
        found = re.findall(r'<span class="reason" id="why-([^"]+)">([^<]*)</span>', page)
        return {field: unescape(reason) for field, reason in found}

    return read
