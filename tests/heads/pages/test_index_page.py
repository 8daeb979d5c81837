"""The page over several scored videos: links, names from outside, narrow screens."""

from pathlib import Path

import pytest

from heads.pages.index_page import IndexPage, IndexRow, write_index_page
from heads.pages.score_page import Mark, Place

HOSTILE = "<script>window.hacked=1</script>\"'><img src=x onerror='window.hacked=1'>" + "long" * 30


MARKS = (Mark(0.0, "0"), Mark(0.5, "50"), Mark(1.0, "100"))


def row(name: str, page: str, *, warnings: tuple[str, ...] = ()) -> IndexRow:
    return IndexRow(name, page, "59.96", "± 25.84", Place(0.5, (0.2, 0.8)), "42 %", warnings)


def make_index(path: Path) -> Path:
    rows = [row(HOSTILE, "./a%20b.html", warnings=(HOSTILE,)), row("second.mp4", "")]
    failures = [(HOSTILE, HOSTILE)]
    return write_index_page(
        path,
        IndexPage("2 videos scored", HOSTILE, "score", ("SIMULATED",), (HOSTILE,), MARKS, rows, failures),
    )


def test_hostile_names_do_nothing(browser, tmp_path: Path) -> None:
    browser.open(make_index(tmp_path / "index.html"))
    assert browser.js("window.hacked") is None
    assert browser.complaints == []
    assert browser.js("document.scripts.length") == 0
    assert {url.partition(":")[0] for url in browser.requests} <= {"file", "data"}
    assert browser.js("[...document.querySelectorAll('a')].map((a) => a.getAttribute('href'))") == [
        "./a%20b.html"
    ]
    assert browser.js("document.querySelector('a').textContent") == HOSTILE
    assert "Failures" in browser.js("document.body.innerText")


def test_it_fits_a_phone_and_a_desk(browser, tmp_path: Path) -> None:
    page = make_index(tmp_path / "index.html")
    for width in (390, 1100):
        browser.open(page, width=width, height=844)
        assert browser.js("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [390, 1100, 1920])
def test_every_width_shows_the_interval_on_the_common_scale(browser, tmp_path: Path, width: int) -> None:
    browser.open(make_index(tmp_path / "index.html"), width=width, height=844)
    place = "((selector) => document.querySelector(selector).getBoundingClientRect().toJSON())"
    bar, interval, mark = (
        browser.js(f"{place}('td.place .{name}')") for name in ("bar", "interval", "bar .mark")
    )
    assert bar["width"] > 200
    assert interval["left"] == pytest.approx(bar["left"] + 0.2 * bar["width"], abs=1)
    assert interval["right"] == pytest.approx(bar["left"] + 0.8 * bar["width"], abs=1)
    assert (mark["left"] + mark["right"]) / 2 == pytest.approx(bar["left"] + 0.5 * bar["width"], abs=1)
    middle = browser.js(f"{place}('th.place .marks span:nth-child(2)')")
    assert (middle["left"] + middle["right"]) / 2 == pytest.approx(bar["left"] + 0.5 * bar["width"], abs=2)
    assert "42 %" in browser.js("document.querySelector('td.percentile').innerText")
