"""The page over several scored videos: links, names from outside, narrow screens."""

from pathlib import Path

from aqa_pipeline.pages.index_page import IndexPage, IndexRow, Place, write_index_page

HOSTILE = "<script>window.hacked=1</script>\"'><img src=x onerror='window.hacked=1'>" + "long" * 30


def row(name: str, page: str, *, warnings: tuple[str, ...] = ()) -> IndexRow:
    return IndexRow(name, page, "59.96", "± 25.84", Place(0.5, (0.2, 0.8)), "42 %", warnings)


def make_index(path: Path) -> Path:
    rows = [row(HOSTILE, "./a%20b.html", warnings=(HOSTILE,)), row("second.mp4", "")]
    failures = [(HOSTILE, HOSTILE)]
    return write_index_page(
        path,
        IndexPage(
            "2 videos scored", HOSTILE, "score", ("SIMULATED",), (HOSTILE,), ("0", "9"), rows, failures
        ),
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
    assert "What could not be done" in browser.js("document.body.innerText")


def test_it_fits_a_phone_and_a_desk(browser, tmp_path: Path) -> None:
    page = make_index(tmp_path / "index.html")
    for width in (390, 1100):
        browser.open(page, width=width, height=844)
        assert browser.js("document.documentElement.scrollWidth") <= width
