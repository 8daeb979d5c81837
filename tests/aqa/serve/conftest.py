"""A small project, and a client that holds the token of the app that serves it."""

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="starlette is not installed (pip install '.[serve]')")

from starlette.testclient import TestClient

from aqa.serve.app import build_app
from aqa.serve.serving import Serving
from aqa_pipeline.project.find import Project, find_project

TOKEN = "the-token-of-this-test"
HOST = "http://127.0.0.1:8000"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a project with one file that looks like a video."""
    made = tmp_path / "club"
    (made / "videos").mkdir(parents=True)
    (made / "aqa.toml").write_text("")
    (made / "scores.csv").write_text("video,score,group\na.mp4,1.5,ann\n")
    (made / "videos" / "a.mp4").write_bytes(bytes(range(100)))
    return made


@pytest.fixture
def project(folder: Path) -> Project:
    found = find_project(folder)
    assert found is not None
    return found


@pytest.fixture
def visitor(project: Project) -> TestClient:
    """Return a client that has no token yet."""
    return TestClient(build_app(project, TOKEN), base_url=HOST, follow_redirects=False)


@pytest.fixture
def client(visitor: TestClient) -> TestClient:
    """Return the client of the person who started the server; it asks as a page of the app does."""
    assert visitor.get(f"/?token={TOKEN}").status_code == 303
    visitor.headers.update({"Origin": HOST, "Sec-Fetch-Site": "same-origin"})
    return visitor


@pytest.fixture
def serving(visitor: TestClient) -> Serving:
    return visitor.app.state.serving


@pytest.fixture
def write_outside(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that writes a file beside the project, which no request may reach."""

    def write(name: str) -> Path:
        path = tmp_path / name
        path.write_bytes(b"secret")
        return path

    return write
