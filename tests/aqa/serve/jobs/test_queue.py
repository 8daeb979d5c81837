"""The queue on disk: nothing is lost at a restart, nothing is done twice, and strange records do nothing."""

from pathlib import Path

import pytest

from aqa.serve.jobs.job import Job, read_job, record_path, write_job
from aqa.serve.jobs.queue import MOST_STARTS, NEVER_ENDED, JobQueue, transcript_path
from aqa_pipeline.errors import StoreError, UnknownName


def test_jobs_are_taken_in_order_and_end_once(tmp_path: Path) -> None:
    queue = JobQueue(tmp_path)
    first, second = queue.add("score", "videos/a.mp4"), queue.add("learn")
    taken = queue.take()
    assert taken is not None
    assert (taken.number, taken.state, taken.starts) == (first.number, "running", 1)
    assert queue.end(first.number, "done", "27.1").words == "27.1"
    assert queue.end(first.number, "failed").state == "done"
    assert [job.number for job in queue.jobs()] == [second.number, first.number]
    with pytest.raises(UnknownName):
        queue.job(99)


def test_the_same_job_waits_once(tmp_path: Path) -> None:
    queue = JobQueue(tmp_path)
    assert queue.add("score", "a.mp4") == queue.add("score", "a.mp4")
    queue.take()
    assert queue.add("score", "a.mp4").number == 2  # the file may have changed since the first began


def test_a_restart_finds_every_job_and_takes_up_the_one_that_ran(tmp_path: Path) -> None:
    before = JobQueue(tmp_path)
    for name in ("a", "b", "c"):
        before.add("score", f"{name}.mp4")
    before.take()
    before.end(1, "done")
    before.take()
    after = JobQueue(tmp_path)
    assert [(job.video, job.state) for job in reversed(after.jobs())] == [
        ("a.mp4", "done"),
        ("b.mp4", "waiting"),
        ("c.mp4", "waiting"),
    ]
    taken = after.take()
    assert taken is not None
    assert (taken.video, taken.starts) == ("b.mp4", 2)


def test_a_job_that_ends_the_server_again_and_again_is_given_up(tmp_path: Path) -> None:
    JobQueue(tmp_path).add("learn")
    for _ in range(MOST_STARTS):
        assert JobQueue(tmp_path).take() is not None
    (job,) = JobQueue(tmp_path).jobs()
    assert (job.state, job.words) == ("failed", NEVER_ENDED)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{" * 10_000,
        '{"number": 1, "kind": "shell", "created": 0}',
        '{"number": 1, "kind": "score", "video": "../../etc/passwd", "created": 0}',
        '{"number": 1, "kind": "score", "video": "a\\u0000.mp4", "created": 0}',
        '{"number": 2, "kind": "learn", "created": 0}',
        '{"number": 1, "kind": "learn", "created": 0, "command": "rm -r /"}',
    ],
)
def test_a_record_that_is_no_job_is_told_and_left_alone(tmp_path: Path, content: str) -> None:
    path = record_path(tmp_path, 1)
    path.write_text(content)
    queue = JobQueue(tmp_path)
    assert queue.jobs() == []
    assert len(queue.problems) == 1
    assert queue.add("learn").number == 2
    assert path.read_text() == content


def test_a_record_that_is_a_pipe_or_too_large_is_refused(tmp_path: Path) -> None:
    import os

    os.mkfifo(record_path(tmp_path, 1))
    record_path(tmp_path, 2).write_bytes(b" " * 1_000_000)
    assert len(JobQueue(tmp_path).problems) == 2


def test_a_record_says_its_number(tmp_path: Path) -> None:
    write_job(tmp_path, Job(number=1, kind="learn", created=0.0))
    record_path(tmp_path, 1).rename(record_path(tmp_path, 7))
    with pytest.raises(StoreError, match="holds the job 1"):
        read_job(record_path(tmp_path, 7))


def test_old_jobs_are_forgotten_with_what_they_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aqa.serve.jobs.queue.MOST_KEPT", 2)
    queue = JobQueue(tmp_path)
    for number in range(1, 5):
        queue.add("score", f"{number}.mp4")
        transcript_path(tmp_path, number).write_text("")
        queue.end(number, "done")
    queue.add("learn")
    assert [job.number for job in queue.jobs()] == [5, 4, 3]
    assert {int(path.stem) for path in tmp_path.iterdir()} == {3, 4, 5}


def test_a_closed_queue_gives_nothing(tmp_path: Path) -> None:
    queue = JobQueue(tmp_path)
    queue.add("learn")
    queue.close()
    assert queue.take() is None
