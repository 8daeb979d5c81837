"""Each video of the project has one row, which says what is known of it."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from aqa.serve.library.predictions import PredictedByRun
from aqa.serve.library.rows import Library, Row, read_library
from aqa.serve.serving import Serving


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a run that has learned from the video a and tested it."""
    (folder / "runs" / "mine").mkdir(parents=True)
    for name in ("config.json", "summary.json"):
        (folder / "runs" / "mine" / name).write_text("{}")
    told = PredictedByRun({"a": (2.25, 1.75, 2.75)}, 0.9, frozenset({"a"}))
    monkeypatch.setattr("aqa.serve.library.rows.predicted_by_run", lambda run: told)
    return folder / "runs" / "mine"


def write_score(folder: Path, video: str, **changes: Any) -> Path:
    path = folder / "pages" / f"{Path(video).name}.json"
    path.parent.mkdir(exist_ok=True)
    facts = {"path": video, "score": 3.0, "not_scored": None, "warnings": [], "interval": None} | changes
    path.write_text(json.dumps({"videos": [facts], "flags": []}))
    path.with_suffix(".html").write_text("")
    return path


def row_of(library: Library, name: str) -> Row:
    (row,) = [row for row in library.rows if row.name == name]
    return row


def add_video(folder: Path, name: str = "new.mp4") -> str:
    (folder / "videos" / name).write_bytes(b"new")
    return f"videos/{name}"


def test_without_a_run_rows_tell_what_is_missing(serving: Serving, folder: Path) -> None:
    add_video(folder)
    (folder / "scores.csv").write_text(
        "video,score,athlete,date,element\na.mp4,1.5,ann,2026-05-08,ball\ngone.mp4,2,,,\n"
    )
    library = read_library(serving)
    assert (library.target, library.has_run, library.problems) == ("score", False, ())
    a = row_of(library, "a")
    assert (a.path, a.athlete, str(a.date), a.element, a.label) == (
        "videos/a.mp4",
        "ann",
        "2026-05-08",
        "ball",
        1.5,
    )
    assert (a.state, a.can_score) == ("new score, not learned yet", False)
    assert row_of(library, "gone").state == "file is missing"
    assert row_of(library, "new.mp4").state == "needs a score"


def test_a_run_tells_test_videos_and_can_score_the_others(serving: Serving, folder: Path, run: Path) -> None:
    add_video(folder)
    library = read_library(serving)
    tested, new = row_of(library, "a"), row_of(library, "new.mp4")
    assert (tested.predicted_text, tested.range_text) == ("2.25", "1.75 to 2.75")
    assert (tested.state, tested.can_score) == ("learned", False)
    assert (new.predicted, new.can_score) == (None, True)


def test_a_kept_score_is_shown_with_its_page(serving: Serving, folder: Path, run: Path) -> None:
    write_score(folder, add_video(folder), interval={"low": -12.5, "high": 18.5})
    row = row_of(read_library(serving), "new.mp4")
    assert (row.predicted_text, row.range_text, row.state) == ("3", "-12 to 18", "scored")
    assert row.page == "/project/pages/new.mp4.html"


def test_a_score_of_an_earlier_run_says_so(serving: Serving, folder: Path, run: Path) -> None:
    write_score(folder, add_video(folder))
    later = time.time() + 10
    os.utime(run / "summary.json", (later, later))  # as `aqa learn` does where nothing has changed
    assert row_of(read_library(serving), "new.mp4").state == "scored"
    os.utime(run / "config.json", (later, later))
    assert row_of(read_library(serving), "new.mp4").state == "scored, by an earlier run"


def test_a_video_that_is_not_scored_has_no_number(serving: Serving, folder: Path, run: Path) -> None:
    write_score(folder, add_video(folder), score=None, not_scored="it shows nobody")
    row = row_of(read_library(serving), "new.mp4")
    assert (row.predicted, row.state) == (None, "not scored, see its page")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"videos": [{"path": "videos/other.mp4"}]}',
        '{"videos": [{"path": "videos/new.mp4", "score": "<b>9</b>", "not_scored": null, '
        '"interval": null, "warnings": []}]}',
        '{"videos": [{"path": "videos/new.mp4", "score": NaN, "not_scored": null, '
        '"interval": null, "warnings": []}]}',
    ],
)
def test_a_file_that_is_no_score_counts_for_nothing(
    serving: Serving, folder: Path, run: Path, content: str
) -> None:
    write_score(folder, add_video(folder)).write_text(content)
    assert row_of(read_library(serving), "new.mp4").predicted is None


def test_a_performance_in_a_longer_video_is_not_scored_as_a_whole(
    serving: Serving, folder: Path, run: Path
) -> None:
    (folder / "scores.csv").write_text(
        "video,score,id,start_frame,stop_frame\na.mp4,1,x,0,50\na.mp4,2,y,50,99\n"
    )
    library = read_library(serving)
    assert [(row.name, row.can_score) for row in library.rows] == [("x", False), ("y", False)]


def test_scores_are_entered_on_the_label_page_of_the_video(serving: Serving, folder: Path) -> None:
    add_video(folder, "a&id=b.mp4")
    (folder / "videos" / "deep").mkdir()
    (folder / "videos" / "deep" / "c.mp4").write_bytes(b"c")
    (folder / "scores.csv").write_text("video,score\na.mp4,1\nvideos/deep/c.mp4,2\n")
    library = read_library(serving)
    assert row_of(library, "a").label_page == "/label?video=a.mp4&id=a"
    assert row_of(library, "a&id=b.mp4").label_page == "/label?video=a%26id%3Db.mp4"
    assert row_of(library, "videos/deep/c").label_page == ""


def test_live_and_failed_jobs_are_named(serving: Serving, folder: Path, run: Path) -> None:
    video, queue = add_video(folder), serving.worker.queue
    queue.add("score", video)
    row = row_of(read_library(serving), "new.mp4")
    assert (row.state, row.job, row.is_live) == ("waits to be scored", 1, True)
    queue.take()
    assert row_of(read_library(serving), "new.mp4").state == "being scored"
    queue.end(1, "failed", "Error: no picture")
    row = row_of(read_library(serving), "new.mp4")
    assert (row.state, row.job, row.is_live) == ("could not be scored", 1, False)


def test_a_project_without_a_table_shows_its_files_and_says_so(serving: Serving, folder: Path) -> None:
    (folder / "scores.csv").unlink()
    library = read_library(serving)
    assert [row.name for row in library.rows] == ["a.mp4"]
    assert "no CSV in" in library.problems[0]


def test_strange_names_on_the_disk_are_told_and_left_out(serving: Serving, folder: Path) -> None:
    for name in (b"a\nb.mp4", b"\xff.mp4", b"x" * 220 + b".mp4"):
        (folder / "videos").joinpath(os.fsdecode(name)).write_bytes(b"")
    library = read_library(serving)
    assert [row.name for row in library.rows] == ["a"]
    assert len(library.problems) == 3
