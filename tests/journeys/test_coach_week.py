"""A coach's week: a new project, three videos labeled in the browser, learning, and what comes after."""

import csv
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

import cli
from chromium import Browser
from noise_video import write_noise_video
from served_project import SMALL, serve

pytest.importorskip("uvicorn", reason="uvicorn is not installed (pip install '.[serve]')")

NUM_VIDEOS, NUM_LABELED_HERE = 12, 3


@pytest.fixture
def aqa(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return a function that runs a command in the project and returns what it printed."""

    def run(*words: object) -> str:
        result = CliRunner().invoke(cli.main, [str(word) for word in words], env=SMALL)
        assert result.exit_code == 0, result.output
        return result.output

    (tmp_path / "club" / "videos").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "club")
    return run


def enter_scores(table: Path, *, first: int) -> None:
    """Enter scores, athletes and dates in a spreadsheet from that row on."""
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for at, row in list(enumerate(rows))[first:]:
        row |= {"score": f"{at}.5", "athlete": f"athlete {at % 4}", "date": f"2026-05-{at + 1:02d}"}
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def label_in_the_browser(browser: Browser, *, number: int) -> None:
    """Fill in the form of the first video without a score, and save it."""
    for _ in range(number):
        name = browser.js("document.querySelector('[name=video]').value")
        at = int(name.removeprefix("v").removesuffix(".mp4"))
        values = {"mark:score": f"{at}.5", "athlete": f"athlete {at % 4}", "date": f"2026-05-{at + 1:02d}"}
        for field, value in values.items():
            browser.js(f"document.querySelector('[name=\"{field}\"]').value = {json.dumps(value)}")
        browser.js("window.left = true; document.querySelector('#entry button.main').click()")
        browser.wait("!window.left && document.readyState === 'complete'")
        assert f"Saved v{at:02d}" in browser.js("document.querySelector('.saved').textContent")
        browser.js("window.left = true; location.href = '/label'")
        browser.wait("!window.left && document.querySelector('[name=video]') !== null")


@pytest.mark.slow
def test_from_a_new_folder_to_a_run_for_others(aqa, browser: Browser, tmp_path: Path) -> None:
    for at in range(NUM_VIDEOS):
        write_noise_video(Path(f"videos/v{at:02d}.mp4"), seed=at, num_frames=10)
    assert f"with {NUM_VIDEOS} videos" in aqa("init", ".", "--head", "ridge")
    enter_scores(Path("scores.csv"), first=NUM_LABELED_HERE)
    with serve(Path.cwd(), environment=SMALL) as server:
        browser.open(server.address)
        browser.wait("document.querySelector('.library') !== null")
        browser.js("location.href = '/label'")
        browser.wait("document.querySelector('[name=video]') !== null")
        label_in_the_browser(browser, number=NUM_LABELED_HERE)
        assert "next: aqa learn" in aqa("check")
        browser.js("location.href = '/learn'")
        browser.wait("document.querySelector('form[action=\"/learn\"] button') !== null")
        browser.js("document.querySelector('form[action=\"/learn\"] button').click()")
        browser.wait("document.querySelector('.learned') !== null")
        words = browser.js("document.querySelector('.learned').textContent")
        assert f"{NUM_VIDEOS} different videos tested, groups kept apart." in words
        asked = {url for url in browser.requests if not url.startswith((server.base, "data:", "blob:"))}
        assert asked == set()
    new = Path("videos/new.mp4")
    write_noise_video(new, seed=99, num_frames=10)
    with Path("scores.csv").open("a") as file:
        file.write("videos/new.mp4,,athlete 0,2026-06-01,\n")
    page = tmp_path / "page.html"
    said = aqa("score", new, "--against", "last", "--html", page)
    assert "typical error" in said
    browser.open(page.as_uri())
    browser.wait("document.querySelectorAll('video').length === 2")
    diary = aqa("diary", "athlete 0")
    assert "2026-06-01" in diary
    aqa("run", "export", "runs/mine", "--out", tmp_path / "mine.zip")
    assert {"CARD.md", "config.json"} <= set(zipfile.ZipFile(tmp_path / "mine.zip").namelist())
