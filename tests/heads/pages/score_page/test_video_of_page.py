"""The page finds its video: a part of a longer file, a file that was moved, an embedded copy."""

from collections.abc import Callable
from pathlib import Path

import pytest

from aqa_pipeline.records import Video

MEGABYTE = 1_000_000


def test_a_performance_within_a_longer_file_begins_at_its_own_start(
    browser, tmp_path: Path, drifting_video: Callable[..., Path], ready, score_page: Callable[..., Path]
) -> None:
    path = drifting_video(tmp_path / "broadcast.mp4", seconds=12)
    video = Video("second", path, start_frame=40, stop_frame=110)
    ready(browser, score_page(video, tmp_path / "page.html"))
    browser.wait("Math.abs(document.getElementById('video').currentTime - 4) < 0.05")
    browser.js("document.getElementById('timeline').focus()")
    browser.press("End")
    browser.wait("Math.abs(document.getElementById('video').currentTime - 11) < 0.05")


def test_a_linked_video_that_was_moved_leaves_the_rest_working(
    browser, tmp_path: Path, drifting_video: Callable[..., Path], score_page: Callable[..., Path]
) -> None:
    path = drifting_video(tmp_path / "routine.mp4", seconds=7)
    page = score_page(Video("routine", path), tmp_path / "page.html")
    path.unlink()
    browser.open(page)
    browser.wait("!document.getElementById('no-video').hidden")
    assert browser.js("getComputedStyle(document.getElementById('player')).display") == "none"
    browser.js("document.getElementById('timeline').focus()")
    browser.press("ArrowRight")
    assert browser.js("document.getElementById('timeline').getAttribute('aria-valuenow')") == "1.00"


@pytest.mark.parametrize("suffix", [".mp4", ".avi"])
def test_an_embedded_video_plays_without_its_file(
    browser,
    tmp_path: Path,
    suffix: str,
    drifting_video: Callable[..., Path],
    score_page: Callable[..., Path],
    ready,
) -> None:
    path = drifting_video(tmp_path / f"routine{suffix}", seconds=7)
    page = score_page(Video("routine", path), tmp_path / "page.html", embed=True)
    path.unlink()
    ready(browser, page)
    assert browser.js("document.getElementById('video').duration") == pytest.approx(7, abs=0.15)
    assert [url for url in browser.requests if url.startswith("file")] == [page.resolve().as_uri()]


def test_an_embedded_performance_is_cut_out_of_its_broadcast(
    browser, tmp_path: Path, drifting_video: Callable[..., Path], ready, score_page: Callable[..., Path]
) -> None:
    path = drifting_video(tmp_path / "broadcast.mp4", seconds=12)
    video = Video("second", path, start_frame=40, stop_frame=110)
    ready(browser, score_page(video, tmp_path / "page.html", embed=True))
    assert browser.js("document.getElementById('video').duration") == pytest.approx(7, abs=0.15)


def test_a_page_of_three_minutes_stays_under_three_megabytes(
    tmp_path: Path, drifting_video: Callable[..., Path], score_page: Callable[..., Path]
) -> None:
    path = drifting_video(tmp_path / "long.mp4", seconds=180, fps=5, width=480, height=272)
    page = score_page(Video("long", path), tmp_path / "page.html")
    assert 0.2 * MEGABYTE < page.stat().st_size < 3 * MEGABYTE


def test_the_same_scored_video_makes_the_same_page(
    tmp_path: Path, drifting_video: Callable[..., Path], score_page: Callable[..., Path]
) -> None:
    video = Video("routine", drifting_video(tmp_path / "routine.mp4", seconds=7))
    first, second = (score_page(video, tmp_path / f"{name}.html").read_bytes() for name in "ab")
    assert first == second
