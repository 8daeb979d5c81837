"""What the project of a stranger can do in a real browser: nothing."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from chromium import Browser
from served_project import serve

pytest.importorskip("uvicorn", reason="uvicorn is not installed (pip install '.[serve]')")

PATHS = ("/project/pages/a.html", "/", "/learn", "/label", "/jobs")


@pytest.fixture
def elsewhere() -> Iterator[socket.socket]:
    """Return a server that no page may ask."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


@pytest.fixture
def hostile(folder: Path, elsewhere: socket.socket) -> Path:
    """Return a project with scripts in its score page, and with markup in all fields that pages show."""
    away = f"http://127.0.0.1:{elsewhere.getsockname()[1]}"
    markup = f"<script>document.title = 'ran'</script><img src='{away}' onerror=\"document.title='ran'\">"
    more = (
        f"<link rel='stylesheet' href='{away}/a.css'>"
        f"<iframe src='{away}'></iframe><meta http-equiv='refresh' content='0;url={away}'>"
        "<form action='/learn' method='post' id='f'></form><img src='data:,' onerror='f.submit()'>"
        f"<script>fetch('/learn', {{method: 'POST'}}); fetch('{away}')</script>"
    )
    (folder / "pages").mkdir()
    (folder / "pages" / "a.html").write_text(f"<title>page</title><main>{markup}{more}</main>")
    quoted = markup.replace('"', '""')
    (folder / "scores.csv").write_text(f'video,score,athlete,element\na.mp4,1,"{quoted}","{quoted}"\n')
    (folder / "aqa.toml").write_text(f"name = {json.dumps(markup)}\n")
    return folder


def test_pages_of_a_stranger_run_nothing_and_ask_nobody(
    hostile: Path, browser: Browser, elsewhere: socket.socket
) -> None:
    with serve(hostile, environment={}) as server:
        browser.open(server.address)
        browser.wait("location.search === '' && document.readyState === 'complete'")
        for path in PATHS:
            browser.call("Page.navigate", url=server.base + path)
            browser.wait(f"location.pathname === {json.dumps(path)} && document.readyState === 'complete'")
            assert browser.js("document.title") != "ran", path
    with pytest.raises(BlockingIOError):
        elsewhere.accept()
    assert list((hostile / ".serve" / "jobs").glob("*.json")) == []
