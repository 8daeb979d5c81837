"""The app sends videos and score pages of the project, and nothing else of the disk."""

from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from aqa.serve.app import build_app
from aqa.serve.project_files import address_of
from aqa.serve.serving import Serving
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.project.find import find_project
from heads.pages.rendering import asset
from heads.pages.score_page import SCRIPTS


def test_a_player_gets_the_part_of_a_video_that_it_asks_for(client: TestClient) -> None:
    whole = client.get("/project/videos/a.mp4")
    assert (whole.status_code, whole.headers["content-type"]) == (200, "video/mp4")
    assert whole.content == bytes(range(100))
    part = client.get("/project/videos/a.mp4", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.headers["content-range"]) == (206, "bytes 10-19/100")
    assert part.content == bytes(range(10, 20))


@pytest.mark.parametrize(
    "name",
    [
        *("aqa.toml", "scores.csv", "videos", "videos/none.mp4", "notes/a.html", "a.html"),
        *("../secret.mp4", "%2e%2e/secret.mp4", "..%5Csecret.mp4", "%2Ftmp%2Fsecret.mp4"),
        *("videos/%00.mp4", "videos/.hidden.mp4", ".git/a.mp4"),
    ],
)
def test_everything_else_is_not_there(
    client: TestClient, folder: Path, write_outside: Callable[[str], Path], name: str
) -> None:
    write_outside("secret.mp4")
    (folder / "videos" / ".hidden.mp4").write_bytes(b"secret")
    for inner in (".git", "notes"):
        (folder / inner).mkdir()
        (folder / inner / "a.mp4").write_bytes(b"secret")
        (folder / inner / "a.html").write_bytes(b"secret")
    (folder / "a.html").write_bytes(b"secret")
    answer = client.get(f"/project/{name}")
    assert answer.status_code == 404
    assert b"secret" not in answer.content.replace(name.encode(), b"")


def test_a_link_out_of_the_project_is_not_followed(
    client: TestClient, folder: Path, write_outside: Callable[[str], Path]
) -> None:
    (folder / "videos" / "link.mp4").symlink_to(write_outside("secret.mp4"))
    (folder / "pages").rmdir()
    (folder / "pages").symlink_to(write_outside("secret.html").parent)
    assert client.get("/project/videos/link.mp4").status_code == 404
    assert client.get("/project/pages/secret.html").status_code == 404


def test_a_page_runs_no_script_but_those_of_score_pages(client: TestClient, folder: Path) -> None:
    ours = "".join(f"<script>{asset(name)}</script>" for name in SCRIPTS)
    (folder / "pages" / "a.mp4.html").write_text(f"<main><script>alert(1)</script>{ours}</main>")
    answer = client.get("/project/pages/a.mp4.html")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = answer.headers["content-security-policy"]
    (scripts,) = [part for part in policy.split("; ") if part.startswith("script-src")]
    assert [source[:8] for source in scripts.split()[1:]] == ["'sha256-"] * 2
    assert "default-src 'none'" in policy


def test_addresses_lead_back_to_their_files(client: TestClient, serving: Serving, folder: Path) -> None:
    odd = folder / "videos" / "a b#c?é.mp4"
    odd.write_bytes(b"odd")
    address = address_of(serving, odd)
    assert address == "/project/videos/a%20b%23c%3F%C3%A9.mp4"
    assert client.get(address).content == b"odd"
    assert address_of(serving, folder.parent / "other.mp4") is None


def test_a_project_whose_videos_lie_outside_is_not_served(folder: Path) -> None:
    (folder / "aqa.toml").write_text('videos = ".."')
    project = find_project(folder)
    assert project is not None
    with pytest.raises(DatasetError, match="outside of its folder"):
        build_app(project, "token")
