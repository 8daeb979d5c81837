"""Parts of the page without a video: tube strip, plots, scale, moments, and the way back."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from heads.pages.score_page import (
    Link,
    Mark,
    Outline,
    Place,
    Scale,
    ScorePage,
    TubeStrip,
    write_score_page,
)
from heads.pages.track import Track

MEGABYTE = 1_000_000


def test_scores_of_a_head_that_saw_nothing_leave_a_page(
    tmp_path: Path, open_page: Callable, bare_page: ScorePage
) -> None:
    browser = open_page(write_score_page(tmp_path / "page.html", bare_page))
    assert browser.complaints == []
    assert "too few steps" in browser.js("document.body.innerText")


def test_measured_facts_are_folded_and_absent_without_poses(tmp_path: Path, bare_page: ScorePage) -> None:
    row = ("knee, left minus right", "-30.0", "2.0", "-32.0 to -28.0", "degrees", "<b>20</b> poses")
    with_rows = write_score_page(tmp_path / "page.html", replace(bare_page, measured=[row])).read_text()
    (section,) = re.findall(r'<details id="measured">.*?</details>', with_rows, re.S)
    assert "<td>-32.0 to -28.0</td>" in section
    assert "&lt;b&gt;20&lt;/b&gt; poses" in section
    assert 'id="measured"' not in write_score_page(tmp_path / "page.html", bare_page).read_text()


def test_the_strip_of_a_tube_stands_over_the_time_that_it_means(
    open_page: Callable, tmp_path: Path, place, bare_page: ScorePage
) -> None:
    tube = TubeStrip(
        (4.0, 8.0), lost=((5.0, 6.0),), restarts=(7.0,), words='The tracker followed "somebody".'
    )
    page = replace(bare_page, player=replace(bare_page.player, duration_seconds=8.0, tube=tube))
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


def test_scores_rise_above_and_hang_below_that_of_the_video(
    open_page: Callable, tmp_path: Path, intervals: Callable[..., np.ndarray], bare_page: ScorePage
) -> None:
    """A bar's colour is found on its own side of the middle only, where the video's score is."""
    track = Track("Clip scores", "score", "score", intervals(1.0, 2), np.array([60.0, 40.0]), 50.0, 40.0)
    page = replace(bare_page, player=replace(bare_page.player, duration_seconds=2.0), tracks=[track])
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


def test_even_effects_have_neither_a_heading_nor_a_color_for_moments(
    tmp_path: Path, browser, intervals: Callable[..., np.ndarray], bare_page: ScorePage
) -> None:
    times = intervals(1.0, 4)
    even = Track("Crops", "effect", "effect", times, np.array([0.9, -0.9, 0.5, 0.0]), 0.0, 40.0)
    uneven = replace(even, name="Frames", values=np.array([-4.0, 0.0, 0.3, 2.0]))
    for tracks, expected in (([even], False), ([even, uneven], True)):
        page = replace(bare_page, tracks=tracks, player=replace(bare_page.player, duration_seconds=4.0))
        browser.open(write_score_page(tmp_path / "page.html", page))
        text = browser.js("document.body.innerText")
        assert "Crops: the effects were even" in text
        assert (
            "their effects on the score are -0.9 to +0.9. They are almost equal: no moment stands out."
            in text
        )
        assert ("Frames: which moments moved the score" in text) == expected
        assert ("raised the score most" in text) == expected
        assert browser.js("document.querySelectorAll('.how .key').length") == 2 * expected
    colors = [colors_of(browser, number) for number in (0, 1)]
    assert not {HIGH, LOW} & colors[0]
    assert {HIGH, LOW} <= colors[1]


HIGH, LOW = "194,65,12", "37,99,168"  # --high and --low of page.css


def colors_of(browser, number: int) -> set[str]:
    """Return the opaque colors of a plot."""
    return set(
        browser.js(
            f"""(() => {{
              const canvas = document.querySelectorAll('.plot canvas')[{number}];
              const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
              const colors = new Set();
              for (let i = 0; i < pixels.length; i += 4)
                if (pixels[i + 3] === 255) colors.add([pixels[i], pixels[i + 1], pixels[i + 2]].join());
              return [...colors];
            }})()"""
        )
    )


def test_raising_steps_rise_above_the_line_and_lowering_steps_hang_below(
    tmp_path: Path, browser, intervals: Callable[..., np.ndarray], bare_page: ScorePage
) -> None:
    track = Track("Crops", "effect", "effect", intervals(1.0, 2), np.array([3.0, -3.0]), 0.0, 40.0)
    page = replace(bare_page, player=replace(bare_page.player, duration_seconds=2.0), tracks=[track])
    browser.open(write_score_page(tmp_path / "page.html", page))
    sides = browser.js(
        """(() => {
          const canvas = document.querySelector('.plot canvas');
          const at = (x, y) => [...canvas.getContext('2d').getImageData(
            Math.round(x * canvas.width), Math.round(y * canvas.height), 1, 1).data.slice(0, 3)].join();
          return [at(0.25, 0.3), at(0.25, 0.7), at(0.75, 0.3), at(0.75, 0.7)];
        })()"""
    )
    assert sides == [HIGH, "0,0,0", "0,0,0", LOW]
    assert "Crops, this moment: +3.0" in browser.js("document.getElementById('readout').textContent")


def test_attention_weights_are_shown_on_request_alone(
    tmp_path: Path,
    browser,
    intervals: Callable[..., np.ndarray],
    bare_page: ScorePage,
    weights: Callable[..., np.ndarray],
) -> None:
    effect = Track("Crops", "effect", "effect", intervals(1.0, 4), np.array([-4.0, 0, 0.3, 2]), 0.0, 40.0)
    weight = Track(
        "Attention to crops", "weight of each step", "attention", intervals(1.0, 4), weights(4), 0.25
    )
    page = replace(bare_page, player=replace(bare_page.player, duration_seconds=4.0), tracks=[effect, weight])
    browser.open(write_score_page(tmp_path / "page.html", page))
    shown = "document.querySelectorAll('.plot canvas').length"
    readout = "document.getElementById('readout').textContent"
    words = "It does not say whether the step raised or lowered the score"
    for switched_on in (False, True, False):
        assert browser.js(shown) == 1 + switched_on
        assert ("Attention to crops: " in browser.js(readout)) == switched_on
        assert ("weight of each step" in browser.js("document.body.innerText")) == switched_on
        assert not {HIGH, LOW} & (colors_of(browser, 1) if switched_on else set()), "weights bear no color"
        assert (words in browser.js("document.body.innerText")) == switched_on
        button = "document.getElementById('show-weights')"
        assert browser.js(f"{button}.getAttribute('aria-pressed')") == str(switched_on).lower()
        browser.js(f"{button}.click()")
    assert browser.complaints == []


def test_a_page_without_weights_has_no_switch_for_them(browser, tmp_path: Path, bare_page: ScorePage) -> None:
    browser.open(write_score_page(tmp_path / "page.html", bare_page))
    assert browser.js("document.getElementById('show-weights')") is None


def test_the_scale_has_round_numbers_where_they_belong(
    tmp_path: Path, browser, bare_page: ScorePage, place
) -> None:
    marks = (Mark(0.0, "0"), Mark(0.25, "5"), Mark(1.0, "20"))
    page = replace(
        bare_page, score=replace(bare_page.score, scale=Scale(marks, (0.1, 0.9), Place(0.5, (0.05, 0.8))))
    )
    for width in (390, 1366):
        browser.open(write_score_page(tmp_path / "page.html", page), width=width)
        bar = place(browser, ".scale .bar")
        first, second, last = (place(browser, f".marks span:nth-child({at})") for at in (1, 2, 3))
        assert first["left"] == pytest.approx(bar["left"], abs=1)
        assert (second["left"] + second["right"]) / 2 == pytest.approx(bar["left"] + bar["width"] / 4, abs=1)
        assert last["right"] == pytest.approx(bar["right"], abs=1)


def test_a_page_leads_back_to_the_page_that_leads_to_it(
    tmp_path: Path, browser, bare_page: ScorePage
) -> None:
    page = replace(bare_page, back=Link("./index%20%231.html", "all scored videos"))
    (tmp_path / "index #1.html").write_text("<title>all of them</title>")
    browser.open(write_score_page(tmp_path / "page.html", page))
    browser.js("document.querySelector('nav a').click()")
    browser.wait("document.title === 'all of them'")


def test_a_quad_for_every_frame_of_three_minutes_is_small(tmp_path: Path, bare_page: ScorePage) -> None:
    """30 frames a second, all of a tube: what it adds to a page."""
    quads = np.random.default_rng(0).random((5400, 4, 2))
    outlines = [
        Outline(at / 30, (at + 1) / 30, tuple((float(x), float(y)) for x, y in quad))
        for at, quad in enumerate(quads)
    ]
    paths = [
        write_score_page(
            tmp_path / f"{len(each)}.html",
            replace(bare_page, player=replace(bare_page.player, outlines=each)),
        )
        for each in ([], outlines)
    ]
    without, with_quads = (path.stat().st_size for path in paths)
    assert with_quads - without < 0.8 * MEGABYTE
