"""The page of one video, opened from disk in a real Chromium: player, timeline, keyboard, pictures."""

import base64
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from aqa_pipeline.records import Video
from aqa_pipeline.video import open_video
from heads.pages.media import link_media
from heads.pages.score_page import Outline, Player, ScorePage, write_score_page

HOSTILE = '<script>window.hacked=1</script><img src=x onerror="window.hacked=1">\'"&amp;</title>'


@pytest.fixture(scope="module")
def page(
    tmp_path_factory: pytest.TempPathFactory,
    score_page: Callable[..., Path],
    drifting_video: Callable[..., Path],
) -> Path:
    """Page and video of twelve seconds, in folders side by side."""
    root = tmp_path_factory.mktemp("a page")
    video = Video("routine", drifting_video(root / "videos & more" / "routine #1.mp4", seconds=12))
    return score_page(video, root / "pages" / "routine.html")


def test_it_opens_from_disk_without_complaints_and_asks_no_network(browser, page: Path, ready) -> None:
    ready(browser, page)
    assert browser.complaints == []
    assert {url.partition(":")[0] for url in browser.requests} == {"file", "data"}
    assert sorted(url.rpartition("/")[2] for url in browser.requests if url.startswith("file")) == [
        "routine%20%231.mp4",
        "routine.html",
    ]


def test_clicking_the_timeline_moves_the_video(browser, page: Path, ready, place) -> None:
    ready(browser, page)
    browser.js("document.getElementById('timeline').scrollIntoView()")
    line = place(browser, "#timeline")
    browser.click(line["x"] + 0.75 * line["width"], line["y"] + 10)
    browser.wait("Math.abs(document.getElementById('video').currentTime - 9) < 0.05")
    browser.wait("!document.getElementById('video').seeking")
    left = float(browser.js("document.getElementById('playhead').style.left").rstrip("%"))
    assert left == pytest.approx(75, abs=0.5)


def test_the_playhead_follows_the_video(browser, page: Path, ready) -> None:
    ready(browser, page)
    browser.js("document.getElementById('video').play()")
    browser.wait("document.getElementById('video').currentTime > 0.6")
    browser.js("document.getElementById('video').pause()")
    browser.wait(
        "Math.abs(parseFloat(document.getElementById('playhead').style.left) / 100 * 12"
        " - document.getElementById('video').currentTime) < 0.05"
    )
    assert float(browser.js("document.getElementById('timeline').getAttribute('aria-valuenow')")) > 0.5


def test_the_keyboard_does_all_that_the_mouse_does(browser, page: Path, ready) -> None:
    ready(browser, page)
    browser.js("document.getElementById('timeline').focus()")

    def after(key: str, **how: bool) -> float:
        browser.press(key, **how)
        return float(browser.js("document.getElementById('timeline').getAttribute('aria-valuenow')"))

    assert [after("ArrowRight"), after("ArrowRight", shift=True), after("ArrowLeft")] == [1, 6, 5]
    assert [after("PageDown"), after("PageDown"), after("PageUp"), after("Home")] == [6, 6.4, 6, 0]
    assert after("End") == 12
    after("Home")
    browser.press("Space")
    browser.wait("!document.getElementById('video').paused")
    browser.press("Enter")
    browser.wait("document.getElementById('video').paused")


def test_a_moment_jumps_to_where_it_begins(browser, page: Path, ready) -> None:
    ready(browser, page)
    start = float(browser.js("document.querySelectorAll('[data-jump]')[3].dataset.jump"))
    browser.js("document.querySelectorAll('[data-jump]')[3].focus()")
    browser.press("Enter")
    browser.wait(f"Math.abs(document.getElementById('video').currentTime - {start}) < 0.05")


def test_the_outline_is_drawn_where_there_is_one_and_can_be_put_away(browser, page: Path, ready) -> None:
    ready(browser, page)
    browser.js("document.getElementById('timeline').focus()")
    points = "document.getElementById('outline').getAttribute('points')"
    assert browser.js(points) == "0.1,0.1 0.4,0.1 0.4,0.9 0.1,0.9"
    browser.press("ArrowRight")
    browser.press("ArrowRight")  # second 2 has none
    browser.wait(f"{points} === ''")
    browser.press("Home")
    browser.wait(f"{points} !== ''")
    browser.js("document.getElementById('show-outline').click()")
    assert browser.js(points) == ""
    assert browser.js("document.getElementById('show-outline').getAttribute('aria-pressed')") == "false"


def test_a_box_moves_between_the_frames_in_which_it_was_found(
    browser, tmp_path: Path, ready, bare_page: ScorePage, drifting_video: Callable[..., Path]
) -> None:
    video = Video("v", drifting_video(tmp_path / "v.mp4", seconds=4))
    boxes = [Outline(second, second + 1.0, square(second / 10), at=second + 0.5) for second in (0.0, 1.0)]
    angles = (("left knee", 90), ("right knee", 175))
    last = Outline(3.0, 4.0, square(0.5), angles=angles, at=3.5)  # too long after the others
    with open_video(video) as opened:
        media = link_media(video, opened, page=tmp_path / "page.html")
    player = Player(media, 4.0, [*boxes, last], frame_seconds=0.1)
    ready(browser, write_score_page(tmp_path / "page.html", replace(bare_page, player=player)))
    left = "parseFloat(document.getElementById('outline').getAttribute('points'))"
    browser.js("document.getElementById('timeline').focus()")
    assert browser.js(left) == 0, "before the first frame with a box it stands"
    browser.press("ArrowRight")
    browser.wait(f"Math.abs({left} - 0.05) < 1e-6")
    assert browser.js("document.getElementById('angles').textContent") == "no joint is seen here"
    for _ in range(2):
        browser.press("ArrowRight")
    browser.wait(f"{left} === 0.5")
    shown = browser.js("document.getElementById('angles').textContent")
    assert shown == "left knee 90°  ·  right knee 175°"


def square(left: float) -> tuple[tuple[float, float], ...]:
    return (left, 0.1), (left + 0.3, 0.1), (left + 0.3, 0.9), (left, 0.9)


def test_every_picture_loads_and_moments_have_alternative_text(browser, page: Path, ready) -> None:
    ready(browser, page)
    loaded = browser.js("[...document.images].map((image) => image.complete && image.naturalWidth > 50)")
    assert len(loaded) > 12
    assert all(loaded)
    alts = browser.js("[...document.querySelectorAll('.strip img:first-child')].map((image) => image.alt)")
    assert len(alts) > 12
    assert all(" from 0:" in alt for alt in alts), alts


def test_the_plots_show_every_step_with_the_highest_and_lowest_in_their_colours(
    browser, page: Path, ready
) -> None:
    ready(browser, page)
    shown = browser.js(
        """[...document.querySelectorAll('.plot canvas')].map((canvas) => {
          const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
          const colours = new Set();
          for (let i = 0; i < pixels.length; i += 4)
            if (pixels[i + 3] === 255) colours.add([pixels[i], pixels[i + 1], pixels[i + 2]].join());
          return [...colours];
        })"""
    )
    assert len(shown) == 3
    for colours in shown:
        assert {"194,65,12", "37,99,168"} <= set(colours)  # --high and --low of page.css


@pytest.mark.parametrize("width", [390, 320])
def test_a_phone_does_not_scroll_sideways(browser, page: Path, width: int, ready, place) -> None:
    ready(browser, page, width=width, height=844)
    assert browser.js("document.documentElement.scrollWidth") <= width
    line = place(browser, "#timeline")
    assert line["x"] >= 0
    assert line["x"] + line["width"] <= width


def test_dark_and_light_follow_the_system(browser, page: Path, ready) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    ready(browser, page)
    assert browser.js(background) == "rgb(251, 250, 247)"
    ready(browser, page, dark=True)
    assert browser.js(background) == "rgb(20, 23, 28)"


def test_print_leaves_out_what_paper_cannot_do(browser, page: Path, ready) -> None:
    ready(browser, page)
    browser.call("Emulation.setEmulatedMedia", media="print")
    try:
        shown = "getComputedStyle(document.querySelector({!r})).display"
        assert browser.js(shown.format(".player")) == "none"
        assert browser.js(shown.format(".moments")) != "none"
    finally:
        browser.call("Emulation.setEmulatedMedia", media="")


def test_three_tracks_with_all_their_moments_are_printed_on_two_pages(browser, page: Path, ready) -> None:
    ready(browser, page)
    a4 = {"paperWidth": 8.27, "paperHeight": 11.69}
    printed = browser.call("Page.printToPDF", printBackground=True, **a4)["data"]
    assert len(re.findall(rb"/Type\s*/Page\b", base64.b64decode(printed))) == 2


def test_hostile_names_do_nothing_and_are_shown_as_they_are(
    browser, tmp_path: Path, ready, drifting_video: Callable[..., Path], score_page: Callable[..., Path]
) -> None:
    name = "\"><img src=x onerror='window.hacked=1'> javascript:alert(1).mp4"
    video = Video(HOSTILE, drifting_video(tmp_path / name, seconds=7))
    ready(browser, score_page(video, tmp_path / "page.html", title=HOSTILE))
    assert browser.js("window.hacked") is None
    assert browser.complaints == []
    assert browser.js("document.querySelector('h1').textContent") == HOSTILE
    assert browser.js("document.title").startswith(HOSTILE)
    assert browser.js("document.scripts.length") == 3  # the charts, the page's own, and the data


def test_a_script_that_slipped_through_would_not_run(browser, page: Path, tmp_path: Path) -> None:
    text = page.read_text().replace(
        "<h1>", "<h1><script>window.hacked=1</script><b onclick='window.hacked=1'>x</b>"
    )
    (tmp_path / "altered.html").write_text(text)
    browser.open(tmp_path / "altered.html")
    browser.js("document.querySelector('h1 b').click()")
    assert browser.js("window.hacked") is None
    assert any("Content Security Policy" in complaint for complaint in browser.complaints)


def test_a_button_steps_to_the_next_frame_and_back(browser, page: Path, ready) -> None:
    """The video has ten frames a second: the middle of a frame is at .05 of it."""
    ready(browser, page)
    time = "Math.round(100 * document.getElementById('video').currentTime)"
    settled = "!document.getElementById('video').seeking"
    browser.js("document.getElementById('timeline').focus()")
    browser.press("ArrowRight")
    browser.wait(settled)
    browser.wait(f"{time} == 100")
    steps = []
    for button in ("next-frame", "next-frame", "previous-frame"):
        before = browser.js(time)
        browser.js(f"document.getElementById('{button}').click()")
        browser.wait(f"{time} != {before} && {settled}")
        steps.append(browser.js(f"Math.floor({time} / 10)"))
        told = browser.js("document.getElementById('exact').textContent")
        assert told == browser.js("document.getElementById('video').currentTime.toFixed(3) + ' s'")
    assert steps[1] == steps[0] + 1
    assert steps[2] == steps[0]


def test_the_speed_is_chosen(browser, page: Path, ready) -> None:
    ready(browser, page)
    browser.js(
        "const speed = document.getElementById('speed'); speed.value = '0.25';"
        "speed.dispatchEvent(new Event('change'))"
    )
    assert browser.js("document.getElementById('video').playbackRate") == 0.25


def test_the_picture_grows_around_the_athlete_and_a_click_plays(browser, page: Path, ready, place) -> None:
    ready(browser, page)
    choose = "((zoom) => { zoom.value = %d; zoom.dispatchEvent(new Event('change')); })(zoom)"
    browser.js(choose % 2)
    for layer in ("#video", "#player svg"):
        style = f"getComputedStyle(document.querySelector('{layer}')).transform"
        assert browser.js(style) == "matrix(2, 0, 0, 2, 0, 0)"
    corners = browser.js("JSON.parse(document.getElementById('data').textContent).outlines[0].corners")
    middle = [100 * sum(corner[axis] for corner in corners) / len(corners) for axis in (0, 1)]
    origin = browser.js("document.getElementById('video').style.transformOrigin")
    assert [float(share.rstrip("%")) for share in origin.split()] == pytest.approx(middle, abs=0.1)
    player = place(browser, "#player")
    browser.click(player["x"] + player["width"] / 2, player["y"] + player["height"] / 2)
    browser.wait("!document.getElementById('video').paused")
    browser.js(choose % 1)
    assert browser.js("document.getElementById('video').controls") is True


def test_a_moment_is_repeated(browser, page: Path, ready) -> None:
    ready(browser, page)
    moment = "document.querySelectorAll('[data-jump]')[3].dataset"
    start, stop = (float(browser.js(f"{moment}.{name}")) for name in ("jump", "stop"))
    browser.js("document.querySelectorAll('[data-jump]')[3].click()")
    browser.js("document.getElementById('loop').click()")
    assert browser.js("document.getElementById('loop').getAttribute('aria-pressed')") == "true"
    browser.js(
        "const video = document.getElementById('video'); window.back = 0; window.last = 0;"
        "video.addEventListener('timeupdate', () => {"
        "  if (video.currentTime < window.last - 0.2) window.back += 1; window.last = video.currentTime; });"
        "video.playbackRate = 4; video.play()"
    )
    browser.wait("window.back >= 2")
    assert not browser.js("document.getElementById('video').paused")
    assert start - 0.1 <= browser.js("document.getElementById('video').currentTime") <= stop + 1


def test_video_and_effects_are_seen_without_scrolling_on_a_laptop(browser, page: Path, ready) -> None:
    ready(browser, page)
    browser.call(
        "Emulation.setDeviceMetricsOverride", width=1366, height=700, deviceScaleFactor=1, mobile=False
    )
    try:
        video, plot = (
            browser.js(f"JSON.stringify(document.querySelector('{part}').getBoundingClientRect())")
            for part in ("#player", ".plot")
        )
    finally:
        browser.call("Emulation.clearDeviceMetricsOverride")
    assert json.loads(video)["right"] < json.loads(plot)["left"]
    assert json.loads(plot)["bottom"] <= 700
