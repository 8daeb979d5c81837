"""A button scores a video beside the athlete's last attempt before it."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from aqa.serve.jobs.commands import command_words
from aqa.serve.serving import Serving
from heads.pages.rendering import asset, page_policy


@pytest.fixture
def learned(folder: Path) -> Path:
    """Return the folder of a project with a run and two attempts of one athlete."""
    (folder / "runs" / "mine").mkdir(parents=True)
    (folder / "runs" / "mine" / "summary.json").write_text("{}")
    (folder / "scores.csv").write_text(
        "video,score,athlete,date\na.mp4,52.5,Ann,2026-05-04\nb.mp4,,Ann,2026-05-18\n"
    )
    (folder / "videos" / "b.mp4").write_bytes(b"")
    return folder


def test_only_later_attempts_have_the_button(client: TestClient, learned: Path) -> None:
    page = client.get("/").text
    assert page.count('formaction="/compare"') == 1
    assert page.index(">b<") < page.index('formaction="/compare"') < page.index("</table>")


def test_the_button_adds_one_job(client: TestClient, learned: Path, serving: Serving) -> None:
    for _ in range(2):
        answer = client.post("/compare", data={"video": "videos/b.mp4"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/jobs")
    (job,) = serving.worker.queue.jobs()
    assert command_words(job, serving.project) == [
        *("score", "--against", "last", "--html", "pages/b.mp4.last.html", "--link", "--", "videos/b.mp4")
    ]
    assert "Compare b.mp4" in client.get("/jobs").text
    assert "formaction" not in client.get("/").text, "it is being compared"


@pytest.mark.parametrize("video", ["videos/a.mp4", "../secret.mp4", "--html", "", "aqa.toml"])
def test_other_videos_are_refused(client: TestClient, learned: Path, serving: Serving, video: str) -> None:
    assert client.post("/compare", data={"video": video}).status_code == 400
    assert client.post("/compare", data={}).status_code == 400
    assert client.get("/compare").status_code == 405
    assert serving.worker.queue.jobs() == []


def test_the_page_is_linked_and_runs_its_own_script_alone(
    client: TestClient, learned: Path, serving: Serving
) -> None:
    script = asset("attempts.js")
    (learned / "pages" / "b.mp4.last.html").write_text(f"<main><h1>+4.1</h1><script>{script}</script></main>")
    page = client.get("/").text
    assert '<a href="/project/pages/b.mp4.last.html">comparison</a>' in page
    answer = client.get("/project/pages/b.mp4.last.html")
    assert answer.headers["content-security-policy"].startswith(page_policy(("attempts.js",)))
    assert "+4.1" in answer.text
