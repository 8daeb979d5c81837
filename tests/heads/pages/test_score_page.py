"""The page of one video, opened from disk in a real Chromium."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from aqa_pipeline.records import Video
from aqa_pipeline.video import open_video
from heads.pages.media import Media, embed_media, link_media
from heads.pages.pictures import pictures_at
from heads.pages.score_page import (
    Link,
    Mark,
    Moment,
    Outline,
    Place,
    Scale,
    ScorePage,
    TubeStrip,
    write_score_page,
)
from heads.pages.track import Track

HOSTILE = '<script>window.hacked=1</script><img src=x onerror="window.hacked=1">\'"&amp;</title>'
MEGABYTE = 1_000_000


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


def make_page(video: Video, path: Path, *, title: str = "routine.mp4", embed: bool = False) -> Path:
    """Return a page as `aqa score` makes it, of a made-up scored video."""
    with open_video(video) as opened:
        seconds = opened.timeline.duration_seconds
        num_segments, num_crops = int(seconds // 3.2), int(seconds)
        tracks = [
            Track(
                "Segments",
                "weight",
                "attention",
                intervals(3.2, num_segments),
                weights(num_segments),
                1 / num_segments,
            ),
            Track(
                "Crops", "weight", "attention", intervals(1.0, num_crops), weights(num_crops), 1 / num_crops
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
            target="score",
            score="50.40",
            summary=("90% interval 40.00 to 60.80.", "Higher than 42 % of the training scores."),
            warnings=("The video is longer than every training video.", title),
            flags=("RANDOM WEIGHTS",),
            scale=Scale((Mark(0.0, "30"), Mark(1.0, "70")), (0.0, 0.4, 1.0), Place(0.51, (0.25, 0.77))),
            duration_seconds=seconds,
            media=embed_media(video, opened) if embed else link_media(video, opened, page=path),
            filmstrip=tuple(made["film"]),
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
            outlines=outlines,
            facts=[("Video", title), ("Head", "action-net")],
        )
    return write_score_page(path, page)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Page and video of twelve seconds, in folders side by side."""
    root = tmp_path_factory.mktemp("a page")
    video = Video("routine", write_video(root / "videos & more" / "routine #1.mp4", seconds=12))
    return make_page(video, root / "pages" / "routine.html")


def ready(browser, page: Path, **how):
    browser.open(page, **how)
    browser.wait("document.getElementById('video').readyState >= 2")
    return browser


def place(browser, selector: str) -> dict[str, float]:
    return browser.js(f"document.querySelector({selector!r}).getBoundingClientRect().toJSON()")


def test_it_opens_from_disk_without_complaints_and_asks_no_network(browser, page: Path) -> None:
    ready(browser, page)
    assert browser.complaints == []
    assert {url.partition(":")[0] for url in browser.requests} == {"file", "data"}
    assert sorted(url.rpartition("/")[2] for url in browser.requests if url.startswith("file")) == [
        "routine%20%231.mp4",
        "routine.html",
    ]


def test_clicking_the_timeline_moves_the_video(browser, page: Path) -> None:
    ready(browser, page)
    browser.js("document.getElementById('timeline').scrollIntoView()")
    line = place(browser, "#timeline")
    browser.click(line["x"] + 0.75 * line["width"], line["y"] + 10)
    browser.wait("Math.abs(document.getElementById('video').currentTime - 9) < 0.05")
    browser.wait("!document.getElementById('video').seeking")
    left = float(browser.js("document.getElementById('playhead').style.left").rstrip("%"))
    assert left == pytest.approx(75, abs=0.5)


def test_the_playhead_follows_the_video(browser, page: Path) -> None:
    ready(browser, page)
    browser.js("document.getElementById('video').play()")
    browser.wait("document.getElementById('video').currentTime > 0.6")
    browser.js("document.getElementById('video').pause()")
    browser.wait(
        "Math.abs(parseFloat(document.getElementById('playhead').style.left) / 100 * 12"
        " - document.getElementById('video').currentTime) < 0.05"
    )
    assert float(browser.js("document.getElementById('timeline').getAttribute('aria-valuenow')")) > 0.5


def test_the_keyboard_does_all_that_the_mouse_does(browser, page: Path) -> None:
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


def test_a_moment_jumps_to_where_it_begins(browser, page: Path) -> None:
    ready(browser, page)
    start = float(browser.js("document.querySelectorAll('[data-jump]')[3].dataset.jump"))
    browser.js("document.querySelectorAll('[data-jump]')[3].focus()")
    browser.press("Enter")
    browser.wait(f"Math.abs(document.getElementById('video').currentTime - {start}) < 0.05")


def test_the_outline_is_drawn_where_there_is_one_and_can_be_put_away(browser, page: Path) -> None:
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


def test_every_picture_loads_and_moments_have_alternative_text(browser, page: Path) -> None:
    ready(browser, page)
    loaded = browser.js("[...document.images].map((image) => image.complete && image.naturalWidth > 50)")
    assert len(loaded) > 12
    assert all(loaded)
    alts = browser.js("[...document.querySelectorAll('.strip img:first-child')].map((image) => image.alt)")
    assert len(alts) > 12
    assert all(" from 0:" in alt for alt in alts), alts


def test_the_plots_show_every_step_with_the_highest_and_lowest_in_their_colours(browser, page: Path) -> None:
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
def test_a_phone_does_not_scroll_sideways(browser, page: Path, width: int) -> None:
    ready(browser, page, width=width, height=844)
    assert browser.js("document.documentElement.scrollWidth") <= width
    line = place(browser, "#timeline")
    assert line["x"] >= 0
    assert line["x"] + line["width"] <= width


def test_dark_and_light_follow_the_system(browser, page: Path) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    ready(browser, page)
    assert browser.js(background) == "rgb(251, 250, 247)"
    ready(browser, page, dark=True)
    assert browser.js(background) == "rgb(20, 23, 28)"


def test_print_leaves_out_what_paper_cannot_do(browser, page: Path) -> None:
    ready(browser, page)
    browser.call("Emulation.setEmulatedMedia", media="print")
    try:
        shown = "getComputedStyle(document.querySelector({!r})).display"
        assert browser.js(shown.format(".player")) == "none"
        assert browser.js(shown.format(".moments")) != "none"
        assert len(browser.call("Page.printToPDF", printBackground=True)["data"]) > 10_000
    finally:
        browser.call("Emulation.setEmulatedMedia", media="")


def test_hostile_names_do_nothing_and_are_shown_as_they_are(browser, tmp_path: Path) -> None:
    name = "\"><img src=x onerror='window.hacked=1'> javascript:alert(1).mp4"
    video = Video(HOSTILE, write_video(tmp_path / name, seconds=7))
    ready(browser, make_page(video, tmp_path / "page.html", title=HOSTILE))
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


def test_a_performance_within_a_longer_file_begins_at_its_own_start(browser, tmp_path: Path) -> None:
    path = write_video(tmp_path / "broadcast.mp4", seconds=12)
    video = Video("second", path, start_frame=40, stop_frame=110)
    ready(browser, make_page(video, tmp_path / "page.html"))
    browser.wait("Math.abs(document.getElementById('video').currentTime - 4) < 0.05")
    browser.js("document.getElementById('timeline').focus()")
    browser.press("End")
    browser.wait("Math.abs(document.getElementById('video').currentTime - 11) < 0.05")


def test_a_linked_video_that_was_moved_leaves_the_rest_working(browser, tmp_path: Path) -> None:
    path = write_video(tmp_path / "routine.mp4", seconds=7)
    page = make_page(Video("routine", path), tmp_path / "page.html")
    path.unlink()
    browser.open(page)
    browser.wait("!document.getElementById('no-video').hidden")
    assert browser.js("getComputedStyle(document.getElementById('player')).display") == "none"
    browser.js("document.getElementById('timeline').focus()")
    browser.press("ArrowRight")
    assert browser.js("document.getElementById('timeline').getAttribute('aria-valuenow')") == "1.00"


@pytest.mark.parametrize("suffix", [".mp4", ".avi"])
def test_an_embedded_video_plays_without_its_file(browser, tmp_path: Path, suffix: str) -> None:
    path = write_video(tmp_path / f"routine{suffix}", seconds=7)
    page = make_page(Video("routine", path), tmp_path / "page.html", embed=True)
    path.unlink()
    ready(browser, page)
    assert browser.js("document.getElementById('video').duration") == pytest.approx(7, abs=0.15)
    assert [url for url in browser.requests if url.startswith("file")] == [page.resolve().as_uri()]


def test_an_embedded_performance_is_cut_out_of_its_broadcast(browser, tmp_path: Path) -> None:
    path = write_video(tmp_path / "broadcast.mp4", seconds=12)
    video = Video("second", path, start_frame=40, stop_frame=110)
    ready(browser, make_page(video, tmp_path / "page.html", embed=True))
    assert browser.js("document.getElementById('video').duration") == pytest.approx(7, abs=0.15)


def test_a_page_of_three_minutes_stays_under_three_megabytes(tmp_path: Path) -> None:
    path = write_video(tmp_path / "long.mp4", seconds=180, fps=5, width=480, height=272)
    page = make_page(Video("long", path), tmp_path / "page.html")
    assert 0.2 * MEGABYTE < page.stat().st_size < 3 * MEGABYTE


def test_a_quad_for_every_frame_of_three_minutes_is_small(tmp_path: Path) -> None:
    """30 frames a second, all of a tube: what it adds to a page."""
    quads = np.random.default_rng(0).random((5400, 4, 2))
    outlines = [
        Outline(at / 30, (at + 1) / 30, tuple((float(x), float(y)) for x, y in quad))
        for at, quad in enumerate(quads)
    ]
    paths = [
        write_score_page(tmp_path / f"{len(each)}.html", replace(empty_page(), outlines=each))
        for each in ([], outlines)
    ]
    without, with_quads = (path.stat().st_size for path in paths)
    assert with_quads - without < 0.8 * MEGABYTE


def test_the_same_judgement_makes_the_same_page(tmp_path: Path) -> None:
    video = Video("routine", write_video(tmp_path / "routine.mp4", seconds=7))
    first, second = (make_page(video, tmp_path / f"{name}.html").read_bytes() for name in "ab")
    assert first == second


def empty_page() -> ScorePage:
    """Return a page without a video: a head that saw one step."""
    return ScorePage(
        title="short",
        target="score",
        score="1.00",
        summary=("No interval.",),
        warnings=(),
        flags=(),
        scale=Scale((Mark(0.0, "0"), Mark(1.0, "1")), (), Place(0.5, (0.0, 1.0))),
        duration_seconds=1.0,
        media=Media("", 0.0, "", 96, 64),
        filmstrip=(),
        tracks=[Track("Crops", "weight", "attention", intervals(1.0, 1), np.array([1.0]), 1.0)],
        moments=(),
        outlines=(),
        facts=(),
    )


def test_scores_of_a_head_that_saw_nothing_leave_a_page(tmp_path: Path, open_page: Callable) -> None:
    browser = open_page(write_score_page(tmp_path / "page.html", empty_page()))
    assert browser.complaints == []
    assert "too few steps" in browser.js("document.body.innerText")


def test_the_strip_of_a_tube_stands_over_the_time_that_it_means(open_page: Callable, tmp_path: Path) -> None:
    tube = TubeStrip(
        (4.0, 8.0), lost=((5.0, 6.0),), restarts=(7.0,), words='The tracker followed "somebody".'
    )
    page = replace(empty_page(), duration_seconds=8.0, tube=tube)
    browser = open_page(write_score_page(tmp_path / "page.html", page))
    assert browser.complaints == []
    strip = place(browser, ".tube")
    looked, lost, restart = (place(browser, f".tube .{name}") for name in ("looked", "lost", "restart"))

    def share(part: dict[str, float], side: str) -> float:
        return (part[side] - strip["left"]) / strip["width"]

    assert (share(looked, "left"), share(looked, "right")) == pytest.approx((0.5, 1.0), abs=0.01)
    assert (share(lost, "left"), share(lost, "right")) == pytest.approx((0.625, 0.75), abs=0.01)
    assert share(restart, "left") == pytest.approx(0.875, abs=0.01)
    assert browser.js("document.querySelector('.tube').getAttribute('aria-label')") == tube.words


def test_scores_rise_above_and_hang_below_that_of_the_video(open_page: Callable, tmp_path: Path) -> None:
    """A bar's colour is found on its own side of the middle only, where the video's score is."""
    track = Track("Clip scores", "score", "score", intervals(1.0, 2), np.array([60.0, 40.0]), 50.0, 40.0)
    page = replace(empty_page(), duration_seconds=2.0, tracks=[track])
    browser = open_page(write_score_page(tmp_path / "page.html", page))
    sides = browser.js(
        """(() => {
          const canvas = document.querySelector('.plot canvas');
          const at = (x, y) => [...canvas.getContext('2d').getImageData(
            Math.round(x * canvas.width), Math.round(y * canvas.height), 1, 1).data.slice(0, 3)].join();
          return [at(0.25, 0.3), at(0.25, 0.7), at(0.75, 0.3), at(0.75, 0.7)];
        })()"""
    )
    high, low, nothing = "194,65,12", "37,99,168", "0,0,0"  # --high and --low of page.css, and a bare canvas
    assert sides == [high, nothing, nothing, low]


def test_even_attention_has_neither_a_heading_nor_a_key_for_moments(tmp_path: Path, browser) -> None:
    even = Track("Crops", "weight", "attention", intervals(1.0, 4), np.full(4, 0.25), 0.25)
    for tracks, expected in (([even], False), ([even, replace(even, values=weights(4))], True)):
        browser.open(write_score_page(tmp_path / "page.html", replace(empty_page(), tracks=tracks)))
        text = browser.js("document.body.innerText")
        assert "Crops: the attention was even" in text
        assert ("Crops: where the attention was highest and lowest" in text) == expected
        assert browser.js("document.querySelectorAll('.how .key').length") == 2 * expected


def test_the_scale_has_round_numbers_where_they_belong(tmp_path: Path, browser) -> None:
    marks = (Mark(0.0, "0"), Mark(0.25, "5"), Mark(1.0, "20"))
    page = replace(empty_page(), scale=Scale(marks, (0.1, 0.9), Place(0.5, (0.05, 0.8))))
    for width in (390, 1366):
        browser.open(write_score_page(tmp_path / "page.html", page), width=width)
        bar = place(browser, ".scale .bar")
        first, second, last = (place(browser, f".marks span:nth-child({at})") for at in (1, 2, 3))
        assert first["left"] == pytest.approx(bar["left"], abs=1)
        assert (second["left"] + second["right"]) / 2 == pytest.approx(bar["left"] + bar["width"] / 4, abs=1)
        assert last["right"] == pytest.approx(bar["right"], abs=1)


def test_a_page_leads_back_to_the_page_that_leads_to_it(tmp_path: Path, browser) -> None:
    page = replace(empty_page(), back=Link("./index%20%231.html", "all scored videos"))
    (tmp_path / "index #1.html").write_text("<title>all of them</title>")
    browser.open(write_score_page(tmp_path / "page.html", page))
    browser.js("document.querySelector('nav a').click()")
    browser.wait("document.title === 'all of them'")
