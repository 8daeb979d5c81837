"""The page of runs: names from outside, pictures, no sideways scroll."""

import base64
import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from heads.pages.run_page import (
    Comparing,
    Picture,
    RunPage,
    RunSection,
    RunTables,
    TableOf,
    WorstVideo,
    write_run_page,
)

HOSTILE = "<script>window.hacked=1</script>\"'><img src=x onerror='window.hacked=1'>"
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="700" height="200" viewBox="0 0 700 200">'
    "<script>parent.hacked=1</script><rect width='700' height='200' fill='green'/></svg>"
)


EMPTY = {
    "tables": RunTables(TableOf(("split",), []), TableOf(("split",), [])),
    "worst": (),
    "facts": (),
    "notes": (),
    "title": "run",
    "place": "",
}
PAGE_PIXELS = (297 - 20) / 25.4 * 96  # of A4 between the margins that Chromium leaves


def section() -> RunSection:
    rows = [(f"split {row} {HOSTILE}", "0", *("0.123",) * 7) for row in range(3)]
    return RunSection(
        title=f"action-net on {HOSTILE}",
        place=f"runs/{HOSTILE}",
        flags=("NOT MODEL SELECTION",),
        headline=(("Spearman", "0.615", "95 % interval"),) * 3,
        notes=(HOSTILE,),
        tables=RunTables(
            TableOf(("split", "seed", *"abcdefg"), rows, "Kept: last epoch.", num_texts=2),
            TableOf(("split", "seed"), [(HOSTILE, "0")], HOSTILE, num_texts=2),
        ),
        pictures=[Picture("Predicted", HOSTILE, SVG, "Points.")],
        learning_curves=[Picture("Learning curves", HOSTILE, SVG, "A dot marks the epoch.")],
        worst=[
            WorstVideo(HOSTILE, "first", "1.00", "2.00", "+1.00", "./videos/a%20b.html", ""),
            WorstVideo("b", "first", "1.00", "2.00", "+1.00", "", HOSTILE),
        ],
        facts=[("Dataset", HOSTILE)],
    )


def test_hostile_names_do_nothing(browser, tmp_path: Path) -> None:
    table = TableOf(("run", "value"), [(HOSTILE, "1")])
    comparing = Comparing(Picture("Both", HOSTILE, SVG), [("All", table)], [(HOSTILE, table)])
    page = RunPage("2 runs compared", [section(), section()], comparing)
    browser.open(write_run_page(tmp_path / "report.html", page))
    browser.wait("[...document.images].every((image) => image.complete && image.naturalWidth > 0)")
    assert browser.js("window.hacked") is None
    assert browser.complaints == []
    assert browser.js("document.scripts.length") == 0
    assert {url.partition(":")[0] for url in browser.requests} == {"file", "data"}
    assert browser.js("document.images[0].alt") == HOSTILE
    assert browser.js("document.querySelector('td a').getAttribute('href')") == "./videos/a%20b.html"


def test_only_wide_pictures_are_scrolled_on_a_phone() -> None:
    def of_points(width: float) -> Picture:
        return Picture(
            "p", "p", f'<svg height="1pt" version="1.1" width="{width}pt" viewBox="0 0 1 1"></svg>'
        )

    assert [of_points(width).is_wide for width in (318.24, 489.6)] == [False, True]


def test_a_phone_scrolls_within_tables_only(browser, tmp_path: Path) -> None:
    page = RunPage("run", [section()])
    browser.open(write_run_page(tmp_path / "report.html", page), width=390, height=844)
    assert browser.js("document.documentElement.scrollWidth") <= 390
    assert "2 runs" not in browser.js("document.body.innerText")


def numbers(*, rows: int, columns: int) -> TableOf:
    """Return a table of splits; each has a number of videos, and then the widest values that there are."""
    cells = (
        ("videos", "3"),
        ("Spearman", "-0.250 ± 1.061"),
        *[("95 % interval", "-0.523 to -0.187")] * columns,
    )
    header, row = zip(("split", "grouped-0"), *cells[:columns], strict=True)
    return TableOf(header, [row] * rows)


def tall(points: float) -> Picture:
    size = f'width="490pt" height="{points}pt" viewBox="0 0 490 {points}"'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" {size}><path d="M0 0h490v{points}z" fill="green"/></svg>'
    return Picture("Tall", "tall", svg, "A note below it.")


def long_section() -> RunSection:
    """Return a run of five splits and three seeds with the plots of such a run."""
    return replace(
        section(),
        title="action-net (paper) on segments and crops of my-videos, target score",
        place="runs/mine",
        notes=("Typically off by 4.92 points; always the average: 4.67. Not usable yet.",),
        tables=RunTables(numbers(rows=6, columns=3), numbers(rows=25, columns=8)),
        pictures=[tall(475), tall(130)],
        learning_curves=[tall(454), tall(400)],
        worst=[WorstVideo("routine-04", "grouped-1", "14.00", "0.10", "-13.90", "./a.html", "")] * 5,
        facts=[("Recipe", "epochs: 1; batch size: 1")] * 12,
    )


def two_runs() -> RunPage:
    comparing = Comparing(
        tall(250),
        [("All runs", numbers(rows=2, columns=3)), ("Differences", numbers(rows=1, columns=3))],
        [("a against b", numbers(rows=5, columns=6))],
    )
    return RunPage("2 runs compared", [long_section(), long_section()], comparing)


def test_two_runs_are_read_at_a_glance(browser, tmp_path: Path) -> None:
    """Three screens of a laptop; what is secondary is there, and is opened."""
    browser.open(write_run_page(tmp_path / "report.html", two_runs()), width=1366, height=768)
    assert browser.js("document.documentElement.scrollHeight") < 3 * 768
    shown = browser.js("document.body.innerText")
    for words in ("All runs", "Differences", "Typically off by 4.92 points", "0.615"):
        assert words in shown
    assert "batch size" not in shown
    browser.js("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert browser.js("document.body.innerText").count("batch size") == 24


def test_one_run_shows_its_splits_and_plots_and_folds_seeds_and_curves(browser, tmp_path: Path) -> None:
    browser.open(write_run_page(tmp_path / "report.html", RunPage("run", [long_section()])), width=1366)
    folded = browser.js(
        "[...document.querySelectorAll('details:not([open]) > summary')].map((e) => e.innerText)"
    )
    assert folded == ["Every seed", "Learning curves"]
    assert browser.js("document.body.innerText").count("batch size") == 12


def shade(browser, selector: str, *, scrolled: int) -> int:
    """How far the last pixel of a row within the element is from one in the row's middle, of 255."""
    browser.js(f"document.querySelector({selector!r}).scrollLeft = {scrolled}")
    box = browser.js(f"document.querySelector({selector!r}).getBoundingClientRect().toJSON()")
    clip = {"x": box["left"], "y": box["top"] + 3, "width": box["width"], "height": 1, "scale": 1}
    browser.js("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    answer = browser.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
    with Image.open(io.BytesIO(base64.b64decode(answer["data"]))) as picture:
        row = np.asarray(picture.convert("L"), np.int64)[0]
    return abs(int(row[len(row) // 2] - row[-2]))


@pytest.mark.parametrize("dark", [False, True])
def test_on_a_phone_splits_fit_and_what_is_wider_has_a_shade(browser, tmp_path: Path, dark: bool) -> None:
    page = write_run_page(tmp_path / "report.html", RunPage("run", [long_section()]))
    browser.open(page, width=390, height=844, dark=dark)
    browser.js("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    splits, seeds = "section > .scroll", "details > .scroll"
    beyond = "(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)"
    assert browser.js(f"{beyond}(document.querySelector({splits!r}))") == 0
    assert browser.js(f"{beyond}(document.querySelector({seeds!r}))") > 100
    assert shade(browser, splits, scrolled=0) == 0
    assert shade(browser, seeds, scrolled=0) >= 8
    assert shade(browser, seeds, scrolled=10_000) == 0


def test_a_picture_higher_than_a_page_is_printed_on_one(browser, tmp_path: Path) -> None:
    """Its title kept the first page, the picture was cut through on the following ones."""
    for points in (300, 1500):
        page = RunPage("run", [replace(section(), **EMPTY, pictures=[tall(points)])])
        browser.open(write_run_page(tmp_path / "report.html", page))
        printed = base64.b64decode(browser.call("Page.printToPDF", printBackground=True)["data"])
        assert len(re.findall(rb"/Type */Page\b", printed)) == (1 if points == 300 else 2)
        browser.call("Emulation.setEmulatedMedia", media="print")
        heights = browser.js("[...document.querySelectorAll('.figure')].map((e) => e.offsetHeight)")
        browser.call("Emulation.setEmulatedMedia", media="")
        assert max(heights) < PAGE_PIXELS


def test_what_is_folded_is_not_printed_and_what_is_opened_is(browser, tmp_path: Path) -> None:
    browser.open(write_run_page(tmp_path / "report.html", two_runs()))
    browser.call("Emulation.setEmulatedMedia", media="print")
    try:
        assert "Settings" not in browser.js("document.body.innerText")
        browser.js("[...document.querySelectorAll('details')].at(-1).open = true")
        assert browser.js("document.body.innerText").count("Settings") == 1
    finally:
        browser.call("Emulation.setEmulatedMedia", media="")
