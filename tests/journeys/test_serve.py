"""`aqa serve` as a coach uses it: from a dropped video to its score page, and through a power cut."""

import json
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chromium import Browser
from noise_video import write_noise_video
from served_project import SMALL, Server, serve

pytest.importorskip("uvicorn", reason="uvicorn is not installed (pip install '.[serve]')")

NUM_VIDEOS = 10


@pytest.fixture
def trained(researcher_folder: Path, tmp_path: Path) -> Path:
    """Return the folder of a project with a trained run, and a new video beside it."""
    shutil.copytree(researcher_folder, tmp_path / "club")
    (tmp_path / "club" / "aqa.toml").write_text('videos = "my-videos"\nname = "my-videos"\nhead = "wd"\n')
    (tmp_path / "club" / "new.mp4").rename(tmp_path / "Kür <1>.mp4")
    return tmp_path / "club"


@pytest.fixture
def untrained(tmp_path: Path) -> Path:
    """Return the folder of a project with scores, whose features nobody has made yet."""
    (tmp_path / "club" / "videos").mkdir(parents=True)
    for at in range(NUM_VIDEOS):
        write_noise_video(tmp_path / "club" / "videos" / f"v{at}.mp4", seed=at, num_frames=10)
    rows = [f"v{at}.mp4,{at}.5,athlete {at % 4}" for at in range(NUM_VIDEOS)]
    (tmp_path / "club" / "scores.csv").write_text("\n".join(["video,score,athlete", *rows]) + "\n")
    (tmp_path / "club" / "aqa.toml").write_text('head = "ridge"\nfolds = 2\n')
    return tmp_path / "club"


def click_on(browser: Browser, selector: str) -> None:
    browser.wait(f"document.querySelector({json.dumps(selector)}) !== null")
    browser.js(f"document.querySelector({json.dumps(selector)}).click()")


def drop_file(browser: Browser, path: Path) -> None:
    """Drop a file from the desktop into the field of the page."""
    x, y = browser.js("(({x, y, width}) => [x + width / 2, y + 10])(drop.getBoundingClientRect())")
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        browser.call("Input.dispatchDragEvent", type=kind, x=x, y=y, data=data)


@pytest.mark.slow
@pytest.mark.xdist_group("researcher")
def test_a_coach_drops_a_video_and_opens_its_score_page(trained: Path, browser: Browser) -> None:
    with serve(trained, environment=SMALL) as server:
        browser.open(server.address)
        browser.wait("location.search === '' && document.querySelector('.library') !== null")
        assert "token" not in browser.js("document.cookie")
        name = trained.parent / "Kür <1>.mp4"
        drop_file(browser, name)
        browser.wait("document.querySelector('.uploads .failed') !== null")
        assert "rename the file" in browser.js("document.querySelector('.uploads .failed').textContent")
        drop_file(browser, name.rename(trained.parent / "Kür 1.mp4"))
        browser.wait("document.querySelector('.uploads .done') !== null")
        browser.wait("/being scored|waits to be scored/.test(table.textContent)")
        browser.wait("[...document.querySelectorAll('.library a')].some(a => a.pathname.endsWith('.html'))")
        click_on(browser, ".library a[href$='.html']")
        browser.wait("document.getElementById('video') && document.getElementById('video').readyState >= 2")
        assert browser.js("document.querySelector('h1').textContent.includes('Kür 1.mp4')")
        click_on(browser, ".back a")
        browser.wait("location.pathname === '/'")
        click_on(browser, "#sort-label")
        browser.wait("location.search.includes('sort=label') && document.readyState === 'complete'")
        browser.js("document.getElementById('q').value = 'v8'; document.querySelector('.filter').submit()")
        browser.wait(
            "location.search.includes('q=v8') && document.querySelectorAll('.library tbody tr').length === 1"
        )
        click_on(browser, "a[href='/learn']")
        browser.wait("document.querySelector('.learned') !== null")
        assert "Not usable yet" in browser.js("document.querySelector('.learned').textContent")
        assert_stays_here(browser, server)


def assert_stays_here(browser: Browser, server: Server) -> None:
    """Check that the browser asked this server alone, and complained of nothing but the refused name."""
    assert {url for url in browser.requests if not url.startswith((server.base, "data:"))} == set()
    assert [words for words in browser.complaints if "status of 400" not in words] == []


def test_the_server_listens_on_this_machine_alone_and_one_runs_for_a_project(untrained: Path) -> None:
    with serve(untrained, environment={}) as server:
        listening = [
            line.split()[1]
            for table in ("tcp", "tcp6")
            for line in Path(f"/proc/{server.process.pid}/net/{table}").read_text().splitlines()[1:]
            if line.split()[3] == "0A" and line.split()[1].endswith(f":{server.port:04X}")
        ]
        assert listening == [f"0100007F:{server.port:04X}"]
        with pytest.raises(AssertionError, match="before it printed"), serve(untrained, environment={}):
            pass
        with pytest.raises(OSError, match="refused"), socket.create_connection(("127.0.0.2", server.port), 5):
            pass


@pytest.mark.slow
def test_a_killed_server_loses_no_job_and_makes_no_feature_twice(
    untrained: Path, until: Callable[..., None]
) -> None:
    def jobs() -> list[dict[str, Any]]:
        paths = sorted((untrained / ".serve" / "jobs").glob("*.json"))
        return [json.loads(path.read_text()) for path in paths]

    def features() -> dict[Path, int]:
        found = (untrained / "features").rglob("*.h5")
        return {path: path.stat().st_mtime_ns for path in found}

    with serve(untrained, environment=SMALL) as server:
        server.ask("/learn", method="POST")
        until(lambda: len(features()) >= 2, "no feature is made")
        children = children_of(server.process.pid)
        assert len(children) >= 1
        server.kill()
        until(lambda: not any(map(is_running, children)), "the command outlives the server")
    before = features()
    assert [(job["state"], job["starts"]) for job in jobs()] == [("running", 1)]
    with serve(untrained, environment=SMALL) as server:
        until(lambda: jobs()[0]["state"] not in ("waiting", "running"), "the job does not end")
        (job,) = jobs()
        assert (job["state"], job["starts"], job["kind"]) == ("done", 2, "learn"), job
        page = server.ask("/learn")
    assert "10 different videos tested, groups kept apart." in page
    assert len(before) < len(features()) == NUM_VIDEOS
    assert before.items() <= features().items()
    assert (untrained / "runs" / "mine" / "summary.json").is_file()


def children_of(pid: int) -> list[int]:
    """Return the processes that this one started."""
    return [
        int(path.parent.name)
        for path in Path("/proc").glob("[0-9]*/stat")
        if stat_of(path)[1:2] == [str(pid)]
    ]


def is_running(pid: int) -> bool:
    return stat_of(Path(f"/proc/{pid}/stat"))[:1] not in ([], ["Z"])


def stat_of(path: Path) -> list[str]:
    """Return the state, the parent and so on of a process; nothing if it has ended."""
    try:
        return path.read_text().rpartition(")")[2].split()
    except OSError:
        return []
