"""The page of runs: names from outside, pictures, no sideways scroll."""

from pathlib import Path

from aqa_pipeline.pages.run_page import Picture, RunPage, RunSection, TableOf, WorstVideo, write_run_page

HOSTILE = "<script>window.hacked=1</script>\"'><img src=x onerror='window.hacked=1'>"
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="700" height="200" viewBox="0 0 700 200">'
    "<script>parent.hacked=1</script><rect width='700' height='200' fill='green'/></svg>"
)


def section() -> RunSection:
    rows = [(f"split {row} {HOSTILE}", "0", *("0.123",) * 7) for row in range(3)]
    return RunSection(
        title=f"action-net on {HOSTILE}",
        place=f"runs/{HOSTILE}",
        flags=("NOT MODEL SELECTION",),
        headline=(("Spearman", "0.615", "95 % interval"),) * 3,
        notes=(HOSTILE,),
        metrics=TableOf(("split", "seed", *"abcdefg"), rows, "Kept: last epoch.", num_texts=2),
        pictures=[Picture("Learning curves", HOSTILE, SVG, "A dot marks the epoch.")],
        worst=[
            WorstVideo(HOSTILE, "first", "1.00", "2.00", "+1.00", "./videos/a%20b.html", ""),
            WorstVideo("b", "first", "1.00", "2.00", "+1.00", "", HOSTILE),
        ],
        facts=[("Dataset", HOSTILE)],
    )


def test_hostile_names_do_nothing(browser, tmp_path: Path) -> None:
    table = TableOf(("run", "value"), [(HOSTILE, "1")])
    page = RunPage("2 runs compared", [section(), section()], Picture("Both", HOSTILE, SVG), [("All", table)])
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
    page = RunPage("run", [section()], None, [])
    browser.open(write_run_page(tmp_path / "report.html", page), width=390, height=844)
    assert browser.js("document.documentElement.scrollWidth") <= 390
    assert "2 runs" not in browser.js("document.body.innerText")
