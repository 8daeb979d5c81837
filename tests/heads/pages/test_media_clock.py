"""The frame that a browser shows after a jump is the frame that the features saw, and so is its box.

Every frame carries its number as black and white blocks. They are read from a screenshot of the page.
"""

import base64
import functools
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from aqa_pipeline.records import Record, Source, StreamSpec, Video
from aqa_pipeline.video import open_video, probe
from extract.streams.stream import plan_steps
from heads.pages.media import embed_media, link_media, unreached_seconds
from heads.pages.score_page import Moment, ScorePage, write_score_page
from heads.pages.track import Track
from heads.scoring.athlete_outlines import athlete_outlines
from heads.scoring.step_frames import jump_seconds, step_frames

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
        weights = np.linspace(1, 2, number) / (1.5 * number)  # no even ones, which have no moments
        track = Track("Crops", "weight", "attention", record.pts_seconds, weights, 1 / number)
        jumps = jump_seconds(track, step_frames(record, opened.timeline), opened.timeline)
        moments = [
            Moment("Crops", "highest", *map(float, record.pts_seconds[step]), "", (), *map(float, jump))
            for step, jump in enumerate(jumps)
        ]
        page = ScorePage(
            title=path.name,
            target="score",
            score="1",
            summary=("",),
            warnings=(),
            flags=(),
            scale=None,
            duration_seconds=opened.timeline.duration_seconds,
            media=embed_media(video, opened) if embed else link_media(video, opened, page=path),
            filmstrip=(),
            tracks=[track],
            moments=moments,
            outlines=athlete_outlines({"crops": record}, opened),
            facts=(),
        )
    return write_score_page(path, page)


# The page itself may jump once more, two animation frames after a jump.
SETTLED = """
    const video = document.getElementById('video'), next = () => new Promise(requestAnimationFrame);
    for (let calm = 0; calm < 4; await next()) calm = video.seeking ? 0 : calm + 1;
"""
NEXT_FRAME = "new Promise((done) => document.getElementById('video').requestVideoFrameCallback(done))"
LOOKS = 50


def act(browser: Any, action: str) -> None:
    """Do it, and wait until it has led to a frame."""
    browser.js(f"(async () => {{ const frame = {NEXT_FRAME}; {action}; await frame; {SETTLED} }})()")


def player_picture(browser: Any) -> np.ndarray:
    """Return what the player shows."""
    place = browser.js(
        "(() => { const at = document.getElementById('player').getBoundingClientRect();"
        " return { x: at.x + scrollX, y: at.y + scrollY, width: at.width, height: at.height }; })()"
    )
    png = browser.call("Page.captureScreenshot", format="png", clip=place | {"scale": 1})["data"]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB"))


def settles(look: Callable[[], Any], expected: Any) -> Any:
    """Return what is seen in the end: `expected` twice in a row, or what the last of many looks saw.

    A busy machine draws a frame that the player has announced a good while later.
    """
    before = None
    for _ in range(LOOKS):
        seen = look()
        if seen == before == expected:
            return seen
        before = seen
    return seen


def shown(browser: Any) -> tuple[int, int | None]:
    """Return the number in the player, and the number that its box tells."""
    number = number_in(player_picture(browser))
    points = browser.js("document.getElementById('outline').getAttribute('points')")
    return number, round(1000 * float(points.split(" ")[1].split(",")[0])) - 1 if points else None


def nearest_of(browser: Any, others: Sequence[np.ndarray]) -> int:
    """Which of the pictures is most like the player's."""
    picture = player_picture(browser)
    size = picture.shape[1::-1]
    sized = [np.asarray(Image.fromarray(other).resize(size), np.float64) for other in others]
    return int(np.argmin([np.abs(other - picture).mean() for other in sized]))


def open_player(browser: Any, page: Path) -> None:
    browser.open(page)
    browser.wait("document.getElementById('video').readyState >= 2")
    browser.js("document.querySelector('#player svg').style.visibility = 'hidden'")
    browser.js("document.getElementById('video').controls = false")


def check_jumps(browser: Any, page: Path, numbers: Sequence[int]) -> None:
    open_player(browser, page)
    for step in sorted({0, 1, 2, 3, len(numbers) // 3, len(numbers) // 2, len(numbers) - 1}):
        act(browser, f"document.querySelectorAll('[data-jump]')[{step}].click()")
        expected = (numbers[step], numbers[step])
        assert settles(lambda: shown(browser), expected) == expected, f"step {step}"


@pytest.mark.parametrize("rate", [3, 25])
def test_a_jump_shows_the_frame_that_was_seen_and_its_box(
    browser, film: Path, rate: int, tmp_path: Path
) -> None:
    video = Video("v", film)
    record, numbers = crops_of(video, rate)
    check_jumps(browser, page_of(video, tmp_path / "page.html", record), numbers)


@pytest.mark.parametrize("embed", [False, True])
def test_a_window_of_a_film_that_starts_late(browser, tmp_path: Path, embed: bool) -> None:
    path = FILMS["picture_2.5_s_after_sound.mp4"](tmp_path / "late.mp4")
    video = Video("v", path, start_frame=31, stop_frame=80)
    record, numbers = crops_of(video, 25)
    assert numbers == list(range(31, 80))
    page = page_of(video, tmp_path / "page.html", record, embed=embed)
    check_jumps(browser, page, numbers)
    # The end of the window is its last frame, not the first one behind it.
    end = "new KeyboardEvent('keydown', { key: 'End' })"
    act(browser, f"document.getElementById('timeline').dispatchEvent({end})")
    assert settles(lambda: shown(browser), (79, 79)) == (79, 79)


def test_an_embedded_film_keeps_its_clock(browser, film: Path, tmp_path: Path) -> None:
    video = Video("v", film)
    record, numbers = crops_of(video, 25)
    check_jumps(browser, page_of(video, tmp_path / "page.html", record, embed=True), numbers)


def test_while_it_plays_the_box_is_that_of_the_frame(browser, tmp_path: Path) -> None:
    """Every frame that the player shows: what the page draws when the browser tells of it."""
    path = FILMS["starts_late.webm"](tmp_path / "late.webm")
    video = Video("v", path)
    record, _ = crops_of(video, 30)
    open_player(browser, page_of(video, tmp_path / "page.html", record))
    told = browser.js(
        """new Promise((done) => {
          const video = document.getElementById('video'), told = [];
          const outline = document.getElementById('outline');
          const note = (_, frame) => {
            told.push([frame.mediaTime, outline.getAttribute('points')]);
            if (told.length === 12) { video.pause(); done(told); } else video.requestVideoFrameCallback(note);
          };
          video.requestVideoFrameCallback(note);
          video.play();
        })"""
    )
    frames = [round((seconds - float(Fraction(62, 30))) * 30) for seconds, _ in told]
    boxes = [round(1000 * float(points.split(" ")[1].split(",")[0])) - 1 for _, points in told]
    assert boxes == frames


def test_what_no_jump_reaches_is_told_and_embedded_as_a_copy(browser, tmp_path: Path) -> None:
    """An mp4 without sound that starts 2.48 s late: the player takes its length, 4 s, for its end."""
    path = Film(ticks=late).write(tmp_path / "late.mp4")
    video = Video("v", path)
    with open_video(video) as opened:
        assert unreached_seconds(probe(path), opened.timeline) == pytest.approx(2.48)
        linked = link_media(video, opened, page=tmp_path / "page.html")
    assert linked.note == (
        "Browsers cannot jump to 2.5 s of this file, whose clock does not begin at 0. "
        "With --embed the page carries a copy that plays."
    )
    record, numbers = crops_of(video, 25)
    check_jumps(browser, page_of(video, tmp_path / "page.html", record, embed=True), numbers)


@pytest.mark.parametrize("name", ["plain.mp4", "starts_late.webm", "picture_2.5_s_after_sound.mp4"])
def test_other_files_are_reached_as_a_whole(name: str, tmp_path: Path) -> None:
    path = FILMS[name](tmp_path / name)
    with open_video(Video("v", path)) as opened:
        assert unreached_seconds(probe(path), opened.timeline) == 0


def test_a_real_film_whose_picture_starts_2_5_s_after_its_sound(
    browser, shared: Path, tmp_path: Path
) -> None:
    """Its frames carry no number: the one that was seen is more like the player's than those around it."""
    path = shared / "cases" / "fempty.mp4"
    if not path.exists():
        pytest.skip(f"no {path.name} among the test data")
    video = Video("v", path)
    with open_video(video) as opened:
        seen = plan_steps(opened.timeline, rate_fps=1, frames_per_step=1)
        record = Record(
            "d",
            "v",
            StreamSpec("frames", {}),
            np.zeros((len(seen), 1), np.float32),
            seen.pts_seconds,
            Source("digest"),
            extras={"frame_index": seen.frame_index},
        )
        pictures = {index: picture for index, picture in opened.frames(range(opened.timeline.num_frames))}
    open_player(browser, page_of(video, tmp_path / "page.html", record))
    for step in (0, 4, 9):
        index = int(seen.frame_index[step, 0])
        act(browser, f"document.querySelectorAll('[data-jump]')[{step}].click()")
        around = [pictures[index + by] for by in (-10, 0, 10)]
        look = functools.partial(nearest_of, browser, around)
        assert settles(look, 1) == 1, f"step {step}"
