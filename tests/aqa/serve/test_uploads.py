"""Uploads: a video is taken in whole and once, and everything else leaves no trace."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from aqa.serve.app import build_app
from aqa.serve.incoming import UploadRefused, check_size, receive, safe_name
from aqa.serve.serving import Serving
from aqa_pipeline.errors import StoreError
from aqa_pipeline.project.find import Project
from noise_video import write_noise_video


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("videos") / "v.mp4"
    write_noise_video(path, seed=1)
    return path.read_bytes()


def send(client: TestClient, name: str, content: bytes) -> tuple[int, dict[str, object]]:
    answer = client.post("/upload", params={"name": name}, content=content)
    return answer.status_code, answer.json()


def files_of(folder: Path) -> set[str]:
    """Return the files of the project but for the jobs."""
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return {name for name in found if not name.startswith(".serve/jobs/")}


def test_a_video_is_taken_in_and_the_same_one_is_not(client: TestClient, folder: Path, video: bytes) -> None:
    before = files_of(folder)
    assert send(client, "Kür 1.mp4", video) == (
        201,
        {"video": "videos/Kür 1.mp4", "seconds": 4.0, "is_scored": False},
    )
    assert (folder / "videos" / "Kür 1.mp4").read_bytes() == video
    assert send(client, "other.mp4", video) == (
        409,
        {"reason": "this is the video Kür 1.mp4, which is here already."},
    )
    assert files_of(folder) == {*before, "videos/Kür 1.mp4"}


def test_no_video_is_overwritten(client: TestClient, folder: Path, video: bytes) -> None:
    old = (folder / "videos" / "a.mp4").read_bytes()
    assert send(client, "A.MP4", video)[1]["video"] == "videos/A-2.MP4"
    assert (folder / "videos" / "a.mp4").read_bytes() == old


def test_a_project_with_a_run_scores_what_comes(
    client: TestClient, folder: Path, serving: Serving, video: bytes
) -> None:
    (folder / "runs" / "mine").mkdir(parents=True)
    (folder / "runs" / "mine" / "summary.json").write_text("{}")
    assert send(client, "new.mp4", video)[1]["is_scored"] is True
    (job,) = serving.worker.queue.jobs()
    assert (job.kind, job.video, job.state) == ("score", "videos/new.mp4", "waiting")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("C:\\films\\a b.mp4", "a b.mp4"),
        ("../../etc/x.MOV", "x.MOV"),
        ("e\u0301.mp4", "\u00e9.mp4"),
        ("=cmd|calc.mp4", None),
        ("=1+1.mp4", "=1+1.mp4"),
        ("<img src=x>.mp4", None),
        ("a\x00.mp4", None),
        ("a\n.mp4", None),
        ("\u202efdp.mp4", None),
        (".hidden.mp4", None),
        ("-rf.mp4", None),
        ("con.mp4", None),
        ("aqa.toml", None),
        ("a.mp4.html", None),
        ("mp4", None),
        ("", None),
        ("x" * 300 + ".mp4", None),
    ],
)
def test_names_are_safe_or_refused(name: str, kept: str | None) -> None:
    if kept is None:
        with pytest.raises(UploadRefused):
            safe_name(name)
    else:
        assert safe_name(name) == kept


@pytest.mark.parametrize("content", [b"", b"no video", b"<script>alert(1)</script>" * 1000])
def test_what_the_decoder_cannot_open_leaves_no_trace(
    client: TestClient, folder: Path, content: bytes
) -> None:
    before = files_of(folder)
    status, answer = send(client, "x.mp4", content)
    assert status in (400, 415)
    assert "/" not in str(answer["reason"]).split("cannot be opened")[0]  # no path of the machine
    assert files_of(folder) == before


def test_a_half_video_leaves_no_trace(client: TestClient, folder: Path, video: bytes) -> None:
    before = files_of(folder)
    assert send(client, "x.mp4", video[: len(video) // 2])[0] == 415
    assert files_of(folder) == before


def test_an_upload_above_the_limit_ends_early(project: Project, folder: Path, video: bytes) -> None:
    app = build_app(project, "token", max_upload_bytes=1000)
    client = TestClient(app, base_url="http://127.0.0.1:8000")
    client.cookies.set("aqa-8000", "token")
    client.headers["Origin"] = "http://127.0.0.1:8000"
    before = files_of(folder)
    status, answer = send(client, "x.mp4", video)
    assert (status, "--max-upload" in str(answer["reason"])) == (413, True)
    assert files_of(folder) == before


def test_an_upload_that_hides_its_size_is_counted(serving: Serving, tmp_path: Path) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield bytes(1024)

    small = Serving(serving.project, serving.worker, max_upload_bytes=10_240)
    with pytest.raises(UploadRefused, match="more than"):
        asyncio.run(receive(small, endless(), tmp_path / "part"))
    assert read == 11


def test_a_full_disk_is_told_before_the_upload(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aqa.serve.incoming.free_bytes", lambda place: 1024)
    with pytest.raises(UploadRefused, match="too little room"):
        check_size(serving, 1)


def test_videos_behind_a_link_are_not_written_to(
    client: TestClient, folder: Path, tmp_path: Path, video: bytes
) -> None:
    elsewhere = tmp_path / "elsewhere"
    (folder / "videos").rename(elsewhere)
    (folder / "videos").symlink_to(elsewhere)
    answer = client.post("/upload", params={"name": "x.mp4"}, content=video)
    assert (answer.status_code, "is a link" in answer.text) == (400, True)
    assert {path.name for path in elsewhere.iterdir()} == {"a.mp4"}


def test_left_overs_of_a_killed_server_are_cleared(project: Project, folder: Path) -> None:
    left = folder / ".serve" / "incoming" / "tmp1"
    left.mkdir(parents=True)
    (left / "half.mp4").write_bytes(b"half")
    build_app(project, "token")
    assert not left.exists()


@pytest.mark.parametrize("name", [".serve", "pages"])
def test_a_project_whose_own_folders_are_links_is_not_served(
    project: Project, folder: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / "victim").mkdir()
    (folder / name).symlink_to(tmp_path / "victim")
    with pytest.raises(StoreError, match="is a link"):
        build_app(project, "token")
    assert not list((tmp_path / "victim").iterdir())
