"""The pages show what they should, escape what they show, and their buttons do what they say."""

import os
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from aqa.serve.serving import Serving
from noise_video import write_noise_video

EVIL = "<img src=x onerror=alert(1)>\"'{{7*7}}"


@pytest.fixture
def run(folder: Path) -> Path:
    (folder / "runs" / "mine").mkdir(parents=True)
    (folder / "runs" / "mine" / "summary.json").write_text("{}")
    return folder / "runs" / "mine"


def test_the_library_shows_filters_and_sorts(client: TestClient, folder: Path) -> None:
    rows = "".join(f"v{at}.mp4,{at}.5,athlete {at % 2}\n" for at in range(4))
    (folder / "scores.csv").write_text(f"video,score,athlete\n{rows}")
    page = client.get("/?q=athlete+1&sort=-label").text
    assert page.index(">v3<") < page.index(">v1<")
    assert ">v2<" not in page
    assert 'aria-sort="descending"' in page
    part = client.get("/?q=athlete+1&part=1").text
    assert ">v1<" in part
    assert "<html" not in part
    assert "No video fits" in client.get("/?q=nobody").text


def test_hostile_texts_are_shown_as_text(client: TestClient, folder: Path, serving: Serving) -> None:
    quoted = EVIL.replace('"', '""')
    (folder / "scores.csv").write_text(
        f'video,score,athlete,element\na.mp4,1,"{quoted}","{quoted}"\n"{quoted}",x,,\n'
    )
    (folder / "videos" / f"{EVIL.replace('/', '')}.mp4").write_bytes(b"")
    for address in ("/", "/?part=1", f"/?q={EVIL}&sort={EVIL}", "/learn", "/jobs", f"/jobs?kind={EVIL}"):
        page = client.get(address).text
        assert "<img src=x" not in page
        assert "49" not in page.replace("/static", "")
    assert "&lt;img src=x" in client.get("/").text


def test_many_videos_are_cut_off_and_can_all_be_shown(client: TestClient, folder: Path) -> None:
    rows = "".join(f"v{at:03d}.mp4,1\n" for at in range(302))
    (folder / "scores.csv").write_text(f"video,score\n{rows}")
    assert "3 more:" in client.get("/").text  # the file a.mp4 is no row of the table
    assert ">v301<" in client.get("/?all=1").text


def test_a_score_button_adds_one_job(client: TestClient, folder: Path, serving: Serving, run: Path) -> None:
    (folder / "videos" / "new.mp4").write_bytes(b"")
    answer = client.post("/score", data={"video": "videos/new.mp4"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/jobs")
    client.post("/score", data={"video": "videos/new.mp4"})
    (job,) = serving.worker.queue.jobs()
    assert job.video == "videos/new.mp4"
    assert "Score new.mp4" in client.get("/jobs").text


def test_all_without_a_score_are_scored_with_one_button(
    client: TestClient, folder: Path, serving: Serving, run: Path
) -> None:
    for name in ("b.mp4", "c.mp4"):
        (folder / "videos" / name).write_bytes(b"")
    assert "Score the 3 without" in client.get("/").text
    assert client.post("/score", data={"all": "1"}).status_code == 303
    assert {job.video for job in serving.worker.queue.jobs()} == {f"videos/{name}.mp4" for name in "abc"}
    assert "Score the" not in client.get("/").text


@pytest.mark.parametrize(
    "video", ["../secret.mp4", "/etc/passwd", "--html", "videos/none.mp4", "aqa.toml", ""]
)
def test_other_paths_are_not_scored(
    client: TestClient, serving: Serving, run: Path, video: str, tmp_path: Path
) -> None:
    (tmp_path / "secret.mp4").write_bytes(b"")
    assert client.post("/score", data={"video": video}).status_code == 400
    assert client.post("/score", data={}).status_code == 400
    assert serving.worker.queue.jobs() == []


def test_learning_is_asked_for_once_and_can_be_cancelled(client: TestClient, serving: Serving) -> None:
    assert "Nothing has been learned yet" in client.get("/learn").text
    for _ in range(2):
        assert client.post("/learn").headers["location"] == "/learn"
    (job,) = serving.worker.queue.jobs()
    assert (job.kind, job.state) == ("learn", "waiting")
    assert "disabled" in client.get("/learn").text
    assert client.post(f"/jobs/{job.number}/cancel").status_code == 303
    assert serving.worker.queue.job(job.number).state == "cancelled"


def test_a_training_that_was_cancelled_is_told_from_none(client: TestClient, folder: Path) -> None:
    (folder / "runs" / "mine").mkdir(parents=True)
    (folder / "runs" / "mine" / "config.json").write_text("{}")
    assert "Learn again: it goes on where it stopped." in client.get("/learn").text
    client.post("/learn")
    assert "Wait for its end." in client.get("/learn").text


def test_a_job_shows_what_it_printed(client: TestClient, serving: Serving) -> None:
    serving.worker.queue.add("learn")
    (serving.worker.queue.folder / "000000001.txt").write_text("$ aqa extract\n<b>done</b>\n")
    assert "&lt;b&gt;done&lt;/b&gt;" in client.get("/jobs/1").text
    assert client.get("/jobs/7").status_code == 400
    assert client.get("/jobs/x").status_code == 404


def test_records_that_cannot_be_read_are_told(client: TestClient, serving: Serving) -> None:
    serving.worker.queue.problems.append("000000009.json is no job")
    assert "000000009.json is no job" in client.get("/jobs").text


def test_nothing_changes_by_reading(client: TestClient, serving: Serving) -> None:
    for address in ("/score", "/upload", "/jobs/1/cancel"):
        assert client.get(address).status_code == 405
    assert serving.worker.queue.jobs() == []


def test_a_thumbnail_is_drawn_once_and_again_for_another_video(client: TestClient, folder: Path) -> None:
    path = folder / "videos" / "b.mp4"
    write_noise_video(path, seed=1)
    first = client.get("/thumbnail/videos/b.mp4")
    assert (first.status_code, first.headers["content-type"], first.content[:2]) == (
        200,
        "image/jpeg",
        b"\xff\xd8",
    )
    kept = folder / ".serve" / "pictures" / "b.mp4.jpg"
    drawn = kept.stat().st_mtime_ns
    assert client.get("/thumbnail/videos/b.mp4").content == first.content
    assert kept.stat().st_mtime_ns == drawn
    write_noise_video(path, seed=2)
    later = drawn / 1e9 + 10
    os.utime(path, (later, later))
    assert client.get("/thumbnail/videos/b.mp4").content != first.content


def test_a_performance_has_the_thumbnail_of_its_own_frame(client: TestClient, folder: Path) -> None:
    write_noise_video(folder / "videos" / "b.mp4", seed=1)
    middle, first = (client.get(f"/thumbnail/videos/b.mp4{query}").content for query in ("", "?frame=0"))
    assert first != middle
    assert client.get("/thumbnail/videos/b.mp4?frame=0").content == first
    assert client.get("/thumbnail/videos/b.mp4?frame=../../x").content == middle
    assert client.get("/thumbnail/videos/b.mp4?frame=999999999").status_code == 200


def test_what_is_no_video_has_no_thumbnail(client: TestClient) -> None:
    for name in ("videos/a.mp4", "videos/a.mp4", "aqa.toml", "../x.mp4"):
        assert client.get(f"/thumbnail/{name}").status_code == 404
