"""The frame that a browser shows after a jump is the frame that the features saw, and so is its box.

The number of a frame is read from a screenshot of the page.
"""

import base64
import functools
import io
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from aqa_pipeline.records import Record, Source, StreamSpec, Video
from aqa_pipeline.video import open_video, probe
from extract.streams.stream import plan_steps
from heads.pages.media import link_media, unreached_seconds

# The page itself may jump once more, when the browser tells of the frame of a jump.
SETTLED = """
    const video = document.getElementById('video'), next = () => new Promise(requestAnimationFrame);
    for (let calm = 0; calm < 4; await next()) calm = video.seeking ? 0 : calm + 1;
"""
NEXT_FRAME = "new Promise((done) => document.getElementById('video').requestVideoFrameCallback(done))"
LOOKS = 50
# A busy browser tells of a frame long after it has reached it.
TELL_LATE = """
    const prompt = HTMLVideoElement.prototype.requestVideoFrameCallback;
    HTMLVideoElement.prototype.requestVideoFrameCallback = function (tell) {
      return prompt.call(this, (...facts) => setTimeout(tell, 150, ...facts));
    };
"""

Films = dict[str, Callable[[Path], Path]]
PageOf = Callable[..., Path]
CropsOf = Callable[..., tuple[Record, list[int]]]


def act(browser: Any, action: str) -> None:
    """Do something, and wait until it has led to a frame."""
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


@pytest.fixture
def shown(browser, number_in: Callable[[np.ndarray], int]) -> Callable[[], tuple[int, int | None]]:
    """Return a function that reads the number in the player, and the number that its box tells."""

    def read() -> tuple[int, int | None]:
        number = number_in(player_picture(browser))
        points = browser.js("document.getElementById('outline').getAttribute('points')")
        return number, round(1000 * float(points.split(" ")[1].split(",")[0])) - 1 if points else None

    return read


def nearest_of(browser: Any, others: Sequence[np.ndarray]) -> int:
    """Return the place of the picture that is most like the player's."""
    picture = player_picture(browser)
    size = picture.shape[1::-1]
    sized = [np.asarray(Image.fromarray(other).resize(size), np.float64) for other in others]
    return int(np.argmin([np.abs(other - picture).mean() for other in sized]))


def open_player(browser: Any, page: Path) -> None:
    browser.open(page)
    browser.wait("document.getElementById('video').readyState >= 2")
    browser.js("document.querySelector('#player svg').style.visibility = 'hidden'")
    browser.js("document.getElementById('video').controls = false")


@pytest.fixture
def check_jumps(browser, shown) -> Callable[[Path, Sequence[int]], None]:
    """Return a function that jumps to steps of a page and checks what is shown against their numbers."""

    def check(page: Path, numbers: Sequence[int]) -> None:
        open_player(browser, page)
        for step in sorted({0, 1, 2, 3, len(numbers) // 3, len(numbers) // 2, len(numbers) - 1}):
            act(browser, f"document.querySelectorAll('[data-jump]')[{step}].click()")
            expected = (numbers[step], numbers[step])
            assert settles(shown, expected) == expected, f"step {step}"

    return check


@pytest.mark.parametrize("rate", [3, 25])
def test_a_jump_shows_the_frame_that_was_seen_and_its_box(
    browser, check_jumps, film: Path, rate: int, tmp_path: Path, crops_of: CropsOf, page_of: PageOf
) -> None:
    video = Video("v", film)
    record, numbers = crops_of(video, rate)
    check_jumps(page_of(video, tmp_path / "page.html", record), numbers)


@pytest.mark.parametrize("embed", [False, True])
def test_a_window_of_a_film_that_starts_late(
    browser, check_jumps, shown, tmp_path: Path, embed: bool, crops_of: CropsOf, page_of: PageOf, films: Films
) -> None:
    path = films["picture_2.5_s_after_sound.mp4"](tmp_path / "late.mp4")
    video = Video("v", path, start_frame=31, stop_frame=80)
    record, numbers = crops_of(video, 25)
    assert numbers == list(range(31, 80))
    page = page_of(video, tmp_path / "page.html", record, embed=embed)
    check_jumps(page, numbers)
    # The end of the window is its last frame, not the first one behind it.
    end = "new KeyboardEvent('keydown', { key: 'End' })"
    act(browser, f"document.getElementById('timeline').dispatchEvent({end})")
    assert settles(shown, (79, 79)) == (79, 79)


def test_an_embedded_film_keeps_its_clock(
    browser, check_jumps, film: Path, tmp_path: Path, crops_of: CropsOf, page_of: PageOf
) -> None:
    video = Video("v", film)
    record, numbers = crops_of(video, 25)
    check_jumps(page_of(video, tmp_path / "page.html", record, embed=True), numbers)


@pytest.mark.parametrize("name", ["plain.mp4", "starts_late.mkv", "irregular.mp4"])
def test_a_browser_that_tells_of_frames_late_shows_the_same(
    browser, check_jumps, name: str, tmp_path: Path, crops_of: CropsOf, page_of: PageOf, films: Films
) -> None:
    """Non-regression: the page took the old frame for that of the jump, and jumped too far."""
    video = Video("v", films[name](tmp_path / name))
    record, numbers = crops_of(video, 25)
    late = browser.call("Page.addScriptToEvaluateOnNewDocument", source=TELL_LATE)
    try:
        check_jumps(page_of(video, tmp_path / "page.html", record, embed=True), numbers)
    finally:
        browser.call("Page.removeScriptToEvaluateOnNewDocument", **late)


def test_while_it_plays_the_box_is_that_of_the_frame(
    browser, tmp_path: Path, crops_of: CropsOf, films: Films, page_of: PageOf
) -> None:
    """Every frame that the player shows: what the page draws when the browser tells of it."""
    path = films["starts_late.webm"](tmp_path / "late.webm")
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


def test_what_no_jump_reaches_is_told_and_embedded_as_a_copy(
    browser, check_jumps, films: Films, tmp_path: Path, crops_of: CropsOf, page_of: PageOf
) -> None:
    """An mp4 without sound that starts 2.48 s late: the player takes its length, 4 s, for its end."""
    path = films["late_without_sound.mp4"](tmp_path / "late.mp4")
    video = Video("v", path)
    with open_video(video) as opened:
        assert unreached_seconds(probe(path), opened.timeline) == pytest.approx(2.48)
        linked = link_media(video, opened, page=tmp_path / "page.html")
    assert linked.note == (
        "Browsers cannot jump to 2.5 s of this file, whose clock does not begin at 0. "
        "With --embed the page carries a copy that plays."
    )
    record, numbers = crops_of(video, 25)
    check_jumps(page_of(video, tmp_path / "page.html", record, embed=True), numbers)


@pytest.mark.parametrize("name", ["plain.mp4", "starts_late.webm", "picture_2.5_s_after_sound.mp4"])
def test_other_files_are_reached_as_a_whole(name: str, tmp_path: Path, films: Films) -> None:
    path = films[name](tmp_path / name)
    with open_video(Video("v", path)) as opened:
        assert unreached_seconds(probe(path), opened.timeline) == 0


def test_a_real_film_whose_picture_starts_2_5_s_after_its_sound(
    browser, shared: Path, tmp_path: Path, page_of: PageOf
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
