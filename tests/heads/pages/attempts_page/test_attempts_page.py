"""The page of two attempts, opened from disk in a real Chromium: linked play, alignment, what is in sight."""

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from aqa_pipeline.records import Video
from aqa_pipeline.video import open_video
from heads.pages.attempts_page import AttemptColumn, AttemptsPage, bars_of_track, write_attempts_page
from heads.pages.media import embed_media, link_media
from heads.pages.pictures import pictures_at
from heads.pages.score_page import Mark, Place, Player
from heads.pages.track import Track

HOSTILE = '<script>window.hacked=1</script><img src=x onerror="window.hacked=1">\'"&amp;</title>'
WAIT = 2.0  # seconds that the old attempt stands still before it does what the new one does
NEW_TIME, OLD_TIME = (f"document.getElementById('{side}-video').currentTime" for side in ("new", "old"))


def write_video(path: Path, *, seconds: float) -> Path:
    """Write H.264 of one gray per frame, every frame a key frame: any moment can be shown at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"g": "1", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for index in range(round(10 * seconds)):
            picture = np.full((120, 160, 3), 2 * index % 256, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def column(side: str, path: Path, page: Path, *, title: str, embed: bool) -> AttemptColumn:
    video = Video(title, path)
    with open_video(video) as opened:
        seconds = opened.timeline.duration_seconds
        film = pictures_at(opened, {"film": [seconds / 2] * 8}, heights={"film": 40}, outlines=())["film"]
        media = embed_media(video, opened) if embed else link_media(video, opened, page=page)
    starts = np.arange(int(seconds), dtype=float)
    intervals, effects = np.stack([starts, starts + 1], axis=1), np.linspace(-4, 5, len(starts))
    tracks = [
        Track(name, "effect", "effect", intervals, effects, 0.0, 40.0, name) for name in ("Clips", "Poses")
    ]
    player = Player(media, seconds, (), tuple(film), frame_seconds=0.1)
    scores = [("on", "2026-05-08"), ("judges", "62.00"), ("predicted", "58.1 ± 12.7")]
    return AttemptColumn(side, f"The {side} one", title, scores, player, tracks, Place(0.5, (0.3, 0.7)))


def make_page(folder: Path, *, title: str = "lift.mp4", embed: bool = False) -> Path:
    path = folder / "attempts.html"
    videos = {
        "new": write_video(folder / "videos" / "new #1.mp4", seconds=8),
        "old": write_video(folder / "videos" / "old & more.mp4", seconds=11),
    }
    new, old = (column(side, video, path, title=title, embed=embed) for side, video in videos.items())
    here = np.linspace(0.5, 7.5, 15)
    page = AttemptsPage(
        title=title,
        headline="+4.1, smaller than the typical error of 12.7: no evidence of progress.",
        evidence="none",
        sentences=[title],
        flags=("RANDOM WEIGHTS",),
        warnings=[title],
        new=new,
        old=old,
        here=here,
        there=here + WAIT,
        alignment=f"automatic, by {title}",
        marks=(Mark(0.0, "0"), Mark(1.0, "100")),
        rows=[("Athlete", title, title)],
        facts=[("Run", title)],
    )
    return write_attempts_page(path, page)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_page(tmp_path_factory.mktemp("two attempts"))


@pytest.fixture
def ready(browser) -> Callable[..., None]:
    def open_ready(page: Path, **how) -> None:
        browser.open(page, **how)
        for side in ("new", "old"):
            browser.wait(f"document.getElementById('{side}-video').readyState >= 2")

    return open_ready


def area(browser, selector: str) -> dict[str, float]:
    return browser.js(f"document.querySelector({selector!r}).getBoundingClientRect().toJSON()")


def test_it_opens_from_disk_without_complaints_and_asks_no_network(browser, page, ready):
    ready(page)
    assert browser.complaints == []
    assert {url.partition(":")[0] for url in browser.requests} == {"file", "data"}
    files = sorted({url.rpartition("/")[2] for url in browser.requests if url.startswith("file")})
    assert files == ["attempts.html", "new%20%231.mp4", "old%20%26%20more.mp4"]


def test_an_embedded_page_asks_for_nothing_but_itself(browser, tmp_path, ready):
    sent = make_page(tmp_path, embed=True)
    for video in (tmp_path / "videos").iterdir():
        video.unlink()
    ready(sent)
    assert browser.complaints == []
    assert {u.rpartition("/")[2] for u in browser.requests if u.startswith("file")} == {"attempts.html"}


def test_on_a_laptop_both_videos_both_timelines_and_the_sentence_are_in_sight(browser, page, ready):
    ready(page, width=1366, height=700)
    sides = [f"#{side}-{part}" for side in ("new", "old") for part in ("video", "timeline")]
    for selector in (".verdict", *sides, "#play"):
        place = area(browser, selector)
        assert 0 <= place["top"] < place["bottom"] <= 700, selector
    assert area(browser, "#new-video")["top"] == area(browser, "#old-video")["top"]
    assert area(browser, "#new-video")["height"] > 200


@pytest.mark.parametrize("width", [390, 1366])
def test_nothing_is_wider_than_the_window(browser, page, ready, width):
    ready(page, width=width)
    assert browser.js("document.documentElement.scrollWidth") <= width


def test_a_click_on_one_timeline_moves_both_videos(browser, page, ready):
    ready(page)
    line = area(browser, "#new-timeline")
    browser.click(line["x"] + 0.5 * line["width"], line["y"] + 10)
    browser.wait(f"Math.abs({NEW_TIME} - 4) < 0.05 && Math.abs({OLD_TIME} - 4 - {WAIT}) < 0.05")
    line = area(browser, "#old-timeline")
    browser.click(line["x"] + 7 / 11 * line["width"], line["y"] + 10)
    browser.wait(f"Math.abs({OLD_TIME} - 7) < 0.05 && Math.abs({NEW_TIME} - 7 + {WAIT}) < 0.05")


def test_linked_play_keeps_both_videos_aligned(browser, page, ready):
    ready(page)
    browser.js("document.getElementById('speed').value = '0.5'")
    browser.js("document.getElementById('speed').dispatchEvent(new Event('change'))")
    browser.js("document.getElementById('play').click()")
    for second in (0.5, 1.0, 1.5):
        browser.wait(f"{NEW_TIME} > {second}")
        new, old = browser.js(f"[{NEW_TIME}, {OLD_TIME}]")
        assert old - new == pytest.approx(WAIT, abs=0.3)
    browser.js("document.getElementById('play').click()")
    browser.wait(f"Math.abs({OLD_TIME} - {NEW_TIME} - {WAIT}) < 0.05")
    paused = "document.getElementById('{}-video').paused"
    assert browser.js(f"{paused.format('new')} && {paused.format('old')}")


def test_align_here_makes_the_two_shown_moments_belong_together(browser, page, ready):
    ready(page)
    browser.js("document.getElementById('link').click()")
    browser.js("document.getElementById('old-timeline').focus()")
    for _ in range(3):
        browser.press("ArrowRight")
    browser.wait(f"Math.abs({OLD_TIME} - {WAIT} - 3) < 0.05 && {NEW_TIME} < 0.05")
    browser.js("document.getElementById('align-here').click()")
    assert "by hand" in browser.js("document.getElementById('alignment').textContent")
    browser.js("document.getElementById('new-timeline').focus()")
    browser.press("ArrowRight")
    browser.wait(f"Math.abs({NEW_TIME} - 1) < 0.05 && Math.abs({OLD_TIME} - {WAIT} - 4) < 0.05")
    browser.js("document.getElementById('align-start').click()")
    browser.wait(f"Math.abs({OLD_TIME} - 1) < 0.05")
    browser.js("document.getElementById('align-automatic').click()")
    browser.wait(f"Math.abs({OLD_TIME} - 1 - {WAIT}) < 0.05")


def test_hostile_texts_do_nothing(browser, tmp_path, ready):
    ready(make_page(tmp_path, title=HOSTILE))
    assert browser.js("window.hacked") is None
    assert browser.js("document.querySelector('h1').textContent") == HOSTILE
    assert browser.complaints == []


def test_bars_reach_the_edge_for_the_largest_effect_of_both():
    steps = np.array([[0.0, 1.0], [1.0, 2.0], [2.0, 4.0]])
    track = Track("Clips", "effect", "effect", steps, np.array([4.0, -2.0, 0.0]), 0.0, 10.0)
    bars = bars_of_track(track, 4.0, tallest=8.0)
    assert [(bar.x, bar.y, bar.height) for bar in bars] == [(0, 12, 12), (250, 24, 6), (500, 24, 1)]
    assert [bar.text for bar in bars] == ["0:00.0: +4.00", "0:01.0: -2.00", "0:02.0: +0.00"]
