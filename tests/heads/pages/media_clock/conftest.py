"""Films whose every frame carries its number as black and white blocks, and pages of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from aqa_pipeline.records import Record, Source, StreamSpec, Video
from aqa_pipeline.video import open_video
from extract.streams.stream import plan_steps
from heads.pages.media import embed_media, link_media
from heads.pages.score_page import Moment, Player, ScorePage, ShownScore, write_score_page
from heads.pages.track import Track
from heads.scoring.shown.athlete_outlines import athlete_outlines
from heads.scoring.shown.step_frames import jump_seconds, step_frames

BLOCKS = 8  # in a row, one bit each; the second row is the first one inverted
WIDTH, HEIGHT = 160, 96
H264 = {"x264-params": "keyint=20:min-keyint=20:scenecut=0:bframes=3:b-adapt=0"}
VP9 = {"deadline": "realtime", "cpu-used": "8", "g": "20"}
IRREGULAR = tuple(np.cumsum([0] + [33, 20, 110, 40, 400, 33, 34] * 9).tolist())  # milliseconds
UNEVEN = tuple(np.cumsum([0] + [33, 20, 110, 40, 200, 33, 34] * 9 + [100, 100]).tolist())


def picture_of(number: int) -> np.ndarray:
    bits = np.array([(number >> bit) & 1 for bit in range(BLOCKS)], np.uint8)
    rows = 40 + 175 * np.stack([bits, 1 - bits])
    grey = rows.repeat(HEIGHT // 2, axis=0).repeat(WIDTH // BLOCKS, axis=1)
    return np.repeat(grey[:, :, None], 3, axis=2).astype(np.uint8)


def number_in(picture: np.ndarray) -> int:
    height, width = picture.shape[:2]
    columns = ((np.arange(BLOCKS) + 0.5) * width / BLOCKS).astype(int)
    upper, lower = (picture[int(share * height), columns].mean(axis=1) > 128 for share in (0.25, 0.75))
    assert (upper != lower).all(), f"these blocks hold no number: {upper}, {lower}"
    return int(sum(int(bit) << place for place, bit in enumerate(upper)))


@dataclass(frozen=True)
class Film:
    """How a numbered video is encoded; `ticks` are the times of its frames in units of 1/`rate` s."""

    suffix: str = ".mp4"
    rate: Fraction = Fraction(25)
    ticks: Sequence[int] = tuple(range(100))
    sound: bool = False

    def write(self, path: Path) -> Path:
        codec, options = ("libvpx-vp9", VP9) if self.suffix == ".webm" else ("libx264", H264)
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=self.rate, options=dict(options))
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            stream.codec_context.time_base = 1 / self.rate
            sound = container.add_stream("aac", rate=16000, layout="mono") if self.sound else None
            for number, tick in enumerate(self.ticks):
                frame = av.VideoFrame.from_ndarray(picture_of(number), format="rgb24")
                frame.pts, frame.time_base = tick, 1 / self.rate
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
            if sound is not None:
                add_silence(container, sound, seconds=float(self.ticks[-1] / self.rate))
        return path


def add_silence(container: Any, stream: Any, *, seconds: float) -> None:
    for start in range(0, int(16000 * seconds), 1024):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.int16), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 16000, start, Fraction(1, 16000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def cut(source: Path, path: Path, *, seconds: float, **options: str) -> Path:
    """Cut as `ffmpeg -ss T -c copy` does: packets from the key frame before the cut on, zero at the cut."""
    with av.open(str(source)) as old, av.open(str(path), "w", options=options) as new:
        stream = old.streams.video[0]
        packets = [packet for packet in old.demux(stream) if packet.dts is not None]
        zero = round(seconds / stream.time_base)
        key = max(i for i, packet in enumerate(packets) if packet.is_keyframe and packet.pts <= zero)
        copy = new.add_stream_from_template(stream)
        for packet in packets[key:]:
            packet.pts, packet.dts, packet.stream = packet.pts - zero, packet.dts - zero, copy
            new.mux(packet)
    return path


late = tuple(range(62, 162))


FILMS: dict[str, Callable[[Path], Path]] = {
    "plain.mp4": Film().write,
    "picture_2.5_s_after_sound.mp4": Film(ticks=late, sound=True).write,
    "starts_late.webm": Film(".webm", rate=Fraction(30), ticks=late).write,
    "starts_late.mkv": Film(".mkv", ticks=late).write,
    "ntsc.mp4": Film(rate=Fraction(30000, 1001)).write,
    "irregular.mp4": Film(rate=Fraction(1000), ticks=IRREGULAR).write,
    "uneven.webm": Film(".webm", rate=Fraction(1000), ticks=UNEVEN).write,
    "cut.mp4": lambda path: cut(Film().write(path.with_name("whole.mp4")), path, seconds=1.1),
    "cut_without_edit_list.mp4": lambda path: cut(
        Film().write(path.with_name("whole.mp4")), path, seconds=1.1, use_editlist="0"
    ),
}


@pytest.fixture(scope="module", params=FILMS)
def film(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return FILMS[request.param](tmp_path_factory.mktemp("films") / request.param)


def crops_of(video: Video, rate: float) -> tuple[Record, list[int]]:
    """Return steps of one frame each, and the number in each step's frame, which its box tells too."""
    with open_video(video) as opened:
        steps = plan_steps(opened.timeline, rate_fps=rate, frames_per_step=1)
        unique, place = np.unique(steps.frame_index[:, 0], return_inverse=True)
        numbers = np.array([number_in(picture) for _, picture in opened.frames(unique.tolist())])[place]
    rights = (numbers + 1) / 1000 * opened.width
    zero = np.zeros_like(rights)
    boxes = np.stack([zero, zero, rights, zero + 10, zero + 0.9], axis=1).astype(np.float32)
    extras = {"boxes": boxes, "frame_index": steps.frame_index}
    features = np.zeros((len(steps), 1), np.float32)
    spec = StreamSpec("crops", {"frames_per_step": 1})
    return Record(
        "d", "v", spec, features, steps.pts_seconds, Source("digest"), extras=extras
    ), numbers.tolist()


def page_of(video: Video, path: Path, record: Record, *, embed: bool = False) -> Path:
    """Return a page with a button for every step."""
    number = len(record.features)
    with open_video(video) as opened:
        effects = np.linspace(1, 2, number)  # no even ones, which have no moments
        track = Track("Crops", "effect", "effect", record.pts_seconds, effects, 0.0, 2.0)
        jumps = jump_seconds(track, step_frames(record, opened.timeline), opened.timeline)
        moments = [
            Moment("Crops", "highest", *map(float, record.pts_seconds[step]), "", (), *map(float, jump))
            for step, jump in enumerate(jumps)
        ]
        page = ScorePage(
            title=path.name,
            score=ShownScore("score", "1", ("",), None),
            warnings=(),
            flags=(),
            player=Player(
                embed_media(video, opened) if embed else link_media(video, opened, page=path),
                opened.timeline.duration_seconds,
                athlete_outlines({"crops": record}, opened),
            ),
            tracks=[track],
            moments=moments,
            facts=(),
        )
    return write_score_page(path, page)


@pytest.fixture(scope="session", name="number_in")
def _number_in() -> Callable[[np.ndarray], int]:
    """Return the function `number_in`."""
    return number_in


@pytest.fixture(scope="session")
def films() -> dict[str, Callable[[Path], Path]]:
    """Return functions that write the film of a name to a path; the last one is not whole within reach."""
    return FILMS | {"late_without_sound.mp4": Film(ticks=late).write}


@pytest.fixture(scope="session", name="crops_of")
def _crops_of() -> Callable[..., tuple[Record, list[int]]]:
    """Return the function `crops_of`."""
    return crops_of


@pytest.fixture(scope="session", name="page_of")
def _page_of() -> Callable[..., Path]:
    """Return the function `page_of`."""
    return page_of
