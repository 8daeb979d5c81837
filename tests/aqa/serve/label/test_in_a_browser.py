"""A person labels three videos in a real Chromium, with mouse, keys and finger; `aqa check` accepts them."""

import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

import cli
from aqa.serve.app import build_app
from aqa_pipeline.athlete.boxes import read_boxes
from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.project.find import Project

TOKEN = "the-token-of-this-test"
READY = "document.getElementById('video')?.readyState >= 2 && !document.getElementById('video').seeking"
TIME = "document.getElementById('readout').textContent"


@pytest.fixture
def address(project: Project) -> Iterator[str]:
    """Return the address of a server of the project on a free port of this machine."""
    uvicorn = pytest.importorskip("uvicorn", reason="uvicorn is not installed (pip install '.[serve]')")
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(build_app(project, TOKEN), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture
def opened(browser, address: str):
    """Return a function that opens the label page with the token."""

    def open_label(query: str = "", **how: object):
        browser.open(f"{address}/label?token={TOKEN}{query}", **how)
        browser.wait(READY)
        return browser

    return open_label


def value(browser, field: str) -> str:
    return browser.js(f"document.querySelector('[name=\"{field}\"]').value")


def enter(browser, field: str, text: str) -> None:
    browser.js(f"document.querySelector('[name=\"{field}\"]').value = {text!r}")


def press_button(browser, words: str) -> None:
    """Press a button that leads to another page, and wait for that page."""
    browser.js("window.left = true")
    browser.js(
        f"[...document.querySelectorAll('#entry button')].find((b) => b.textContent === {words!r}).click()"
    )
    browser.wait("!window.left && document.readyState === 'complete'")
    browser.wait(READY)


def step(browser, key: str, until: str) -> None:
    browser.press(key)
    browser.wait(f"{READY} && {TIME} === {until!r}")


def corner(browser, x: float, y: float) -> dict[str, float]:
    area = browser.js("document.getElementById('player').getBoundingClientRect().toJSON()")
    return {"x": area["x"] + x * area["width"], "y": area["y"] + y * area["height"]}


def draw(browser, first: tuple[float, float], last: tuple[float, float]) -> None:
    """Draw a box with the mouse, between two points in shares of the picture."""
    for kind, at in (("mousePressed", first), ("mouseMoved", last), ("mouseReleased", last)):
        where = corner(browser, *at)
        browser.call("Input.dispatchMouseEvent", type=kind, **where, button="left", buttons=1, clickCount=1)


def draw_with_a_finger(browser, first: tuple[float, float], last: tuple[float, float]) -> None:
    for kind, points in (("touchStart", [first]), ("touchMove", [last]), ("touchEnd", [])):
        touches = [corner(browser, *at) for at in points]
        browser.call("Input.dispatchTouchEvent", type=kind, touchPoints=touches)


def test_three_videos_are_labeled_and_check_accepts_them(
    opened, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = opened(width=1366, height=700)
    # A part of the first video, by keys, with a box that is drawn with the mouse.
    step(browser, "ArrowRight", "0:01.000")
    step(browser, ".", "0:01.100")
    browser.press("s")
    step(browser, "ArrowRight", "0:02.100")
    step(browser, ",", "0:02.000")
    browser.press("e")
    assert (value(browser, "start"), value(browser, "end")) == ("0:01.100", "0:02.000")
    browser.press("a")
    draw(browser, (0.75, 0.9), (0.25, 0.1))
    assert browser.js("document.getElementById('video').paused"), "drawing does not play the video"
    assert "followed from 0:02.000 on" in browser.js("document.getElementById('box-words').textContent")
    enter(browser, "mark:score", "7,5")
    enter(browser, "athlete", "Ada")
    press_button(browser, "Save, next video")
    # The second as a whole, by buttons and a finger.
    assert value(browser, "video") == "second.mp4"
    browser.js("document.getElementById('point').click()")
    draw_with_a_finger(browser, (0.5, 0.5), (0.9, 0.95))
    enter(browser, "mark:score", "abc")
    press_button(browser, "Save")
    assert "not a finite number" in browser.js(
        "document.querySelector('[id=\"why-mark-score\"]').textContent"
    )
    assert browser.js("document.activeElement.id") == "refused", "a reader hears why"
    enter(browser, "mark:score", "8")
    press_button(browser, "Save, next video")
    assert value(browser, "video") == "third.mp4"
    enter(browser, "mark:score", "9")
    enter(browser, "date", "2026-05-08")
    press_button(browser, "Save")
    assert "Saved third" in browser.js("document.querySelector('.saved').textContent")
    assert {url.split("/")[2].partition(":")[0] for url in browser.requests if url.startswith("http")} == {
        "127.0.0.1"
    }
    monkeypatch.chdir(folder)
    result = CliRunner().invoke(cli.main, ["check"])
    assert result.exit_code == 0, result.output
    dataset = load_dataset("folder", folder)
    assert {video.video_id: video.labels["score"] for video in dataset.videos} == {
        "monday-1": 7.5,
        "second": 8.0,
        "third": 9.0,
    }
    first = dataset.video("monday-1")
    assert (first.start_frame, first.stop_frame, first.athlete) == (11, 21, "Ada")
    assert read_boxes(folder / "boxes" / "monday-1.csv")[20][0].tolist() == pytest.approx(
        [40, 12, 120, 108], abs=1
    )
    assert read_boxes(folder / "boxes" / "second.csv")[0][0].tolist() == pytest.approx(
        [80, 60, 144, 114], abs=1
    )


def test_a_saved_part_is_where_the_player_begins(opened, fill, browser) -> None:
    fill(mark__score="7", start="0:01.200", end="0:02.000", box="0.1,0.2,0.5,0.8", box_at="0:01.500")
    opened("&video=monday.mp4&id=monday-1")
    browser.wait(f"{READY} && {TIME} === '0:01.200'")
    bar, part = (
        browser.js(f"document.getElementById('{i}').getBoundingClientRect().toJSON()")
        for i in ("bar", "part")
    )
    assert (part["left"] - bar["left"]) / bar["width"] == pytest.approx(1.2 / 6, abs=0.01)
    assert part["width"] / bar["width"] == pytest.approx(0.9 / 6, abs=0.01)
    width = "Number(document.getElementById('athlete').getAttribute('width'))"
    assert browser.js(width) == 0, "the box is shown with its own frame"
    browser.js("document.getElementById('show-box').click()")
    browser.wait(f"{READY} && {TIME} === '0:01.500'")
    assert browser.js(width) == pytest.approx(0.4)
    assert browser.complaints == []


def test_two_taps_are_a_box_and_so_are_arrow_keys(opened, browser) -> None:
    opened()
    browser.press("a")
    for at in ((0.2, 0.3), (0.6, 0.9)):
        browser.click(*corner(browser, *at).values())
    assert shares(browser) == pytest.approx([0.2, 0.3, 0.6, 0.9], abs=0.01)
    assert browser.js("document.getElementById('video').paused")
    browser.js("document.getElementById('clear-box').click(); document.activeElement.blur()")
    assert value(browser, "box") == ""
    browser.press("a")
    browser.press("ArrowRight")
    assert shares(browser) == pytest.approx([0.37, 0.2, 0.67, 0.8])
    browser.press("ArrowDown", shift=True)
    browser.press("Enter")
    assert shares(browser) == pytest.approx([0.37, 0.2, 0.67, 0.82])
    step(browser, "ArrowRight", "0:01.000")
    assert browser.complaints == []


def shares(browser) -> list[float]:
    return [float(share) for share in value(browser, "box").split(",")]


def test_steps_find_the_next_frame_where_frames_last_for_different_times(
    opened, browser, folder: Path, uneven_video: tuple[Path, list[float]]
) -> None:
    path, times = uneven_video
    shutil.copy(path, folder / "videos" / "uneven.mp4")
    opened("&video=uneven.mp4")
    for time in times[1:]:
        step(browser, ".", f"0:{time:06.3f}")
    for time in reversed(times[:-1]):
        step(browser, ",", f"0:{time:06.3f}")


def test_keys_do_not_cut_while_somebody_types(opened, browser) -> None:
    opened()
    browser.js("document.querySelector('[name=athlete]').focus()")
    for key in ("s", "e", "a", " "):
        browser.press("Space" if key == " " else key)
    assert (value(browser, "start"), value(browser, "end")) == ("", "")
    assert browser.js("document.getElementById('video').paused")


@pytest.mark.parametrize("width", [390, 320])
def test_a_phone_does_not_scroll_sideways(opened, browser, fill, width: int) -> None:
    fill(mark__score="7", start="1", end="2", athlete="A" * 100, element="vault")
    opened("&video=monday.mp4", width=width, height=844)
    assert browser.js("document.documentElement.scrollWidth") <= width


def test_on_a_laptop_the_player_and_the_form_are_seen_without_scrolling(opened, browser) -> None:
    opened(width=1366, height=700)
    cut, form = (
        browser.js(f"document.querySelector('{part}').getBoundingClientRect().toJSON()")
        for part in (".cut", ".actions")
    )
    assert cut["right"] < form["left"]
    assert max(cut["bottom"], form["bottom"]) <= 700
