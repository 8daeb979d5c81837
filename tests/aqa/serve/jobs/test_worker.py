"""The worker runs one command after the other, in processes that can be cancelled and that end with it."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aqa.serve.jobs import queue
from aqa.serve.jobs.child import Child
from aqa.serve.jobs.job import Job
from aqa.serve.jobs.queue import JobQueue
from aqa.serve.jobs.worker import Worker

Until = Callable[..., None]


class Told:
    """A command that prints what it is told, and goes on until it is told to end."""

    def __init__(self, *pieces: str, code: int = 0, lasts: bool = False) -> None:
        self._pieces, self._code, self._ended = pieces, code, not lasts

    def pieces(self) -> Iterator[str]:
        yield from self._pieces
        while not self._ended:
            time.sleep(0.005)

    def wait(self) -> int:
        return self._code

    def end(self) -> None:
        self._ended, self._code = True, -15


def work(folder: Path, begin: Callable[[Job], Told]) -> Worker:
    worker = Worker(JobQueue(folder), begin)
    worker.start()
    return worker


def test_jobs_end_as_their_commands_say(tmp_path: Path, until: Until) -> None:
    told = {"good.mp4": Told("Error is not my name\n27.1\n"), "bad.mp4": Told("Error: no picture.\n", code=1)}
    worker = work(tmp_path, lambda job: told[job.video])
    for video in told:
        worker.queue.add("score", video)
    until(lambda: all(not job.is_live for job in worker.queue.jobs()), "the jobs do not end")
    bad, good = worker.queue.jobs()
    assert (good.state, good.words) == ("done", "27.1")
    assert (bad.state, bad.words) == ("failed", "Error: no picture.")
    assert worker.transcript(good.number).lines == ["Error is not my name", "27.1"]
    worker.stop()


def test_a_command_that_cannot_start_fails_and_the_next_one_runs(tmp_path: Path, until: Until) -> None:
    def begin(job: Job) -> Told:
        if job.kind == "learn":
            raise OSError("Cannot allocate memory")
        return Told("fine\n")

    worker = work(tmp_path, begin)
    worker.queue.add("learn")
    worker.queue.add("score", "a.mp4")
    until(lambda: all(not job.is_live for job in worker.queue.jobs()), "the jobs do not end")
    assert [job.state for job in worker.queue.jobs()] == ["done", "failed"]
    assert "Cannot allocate memory" in worker.queue.job(1).words
    worker.stop()


def test_a_full_disk_delays_the_record_and_loses_nothing(
    tmp_path: Path, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aqa.serve.jobs.worker.PAUSE_SECONDS", 0.01)
    write, is_full = queue.write_job, threading.Event()

    def fails_when_full(folder: Path, job: Job) -> None:
        if is_full.is_set():
            raise OSError(errno.ENOSPC, "No space left on device")
        write(folder, job)

    def begin(job: Job) -> Told:
        is_full.set()
        return Told("27.1\n")

    monkeypatch.setattr("aqa.serve.jobs.queue.write_job", fails_when_full)
    worker = work(tmp_path, begin)
    worker.queue.add("score", "a.mp4")
    until(is_full.is_set, "it does not begin")
    time.sleep(0.05)
    assert worker.queue.job(1).state == "running"
    is_full.clear()
    until(lambda: worker.queue.job(1).state == "done", "it does not end")
    worker.stop()


def test_waiting_and_running_jobs_can_be_cancelled(tmp_path: Path, until: Until) -> None:
    worker = work(tmp_path, lambda job: Told("at work\n", lasts=True))
    running, waiting = worker.queue.add("score", "a.mp4"), worker.queue.add("score", "b.mp4")
    until(lambda: worker.transcript(running.number).lines == ["at work"], "it does not begin")
    worker.cancel(waiting.number)
    worker.cancel(running.number)
    until(lambda: all(not job.is_live for job in worker.queue.jobs()), "the jobs do not end")
    assert {job.state for job in worker.queue.jobs()} == {"cancelled"}
    worker.cancel(running.number)  # nothing happens
    worker.stop()


def test_stopping_leaves_the_job_for_the_next_start(tmp_path: Path, until: Until) -> None:
    worker = work(tmp_path, lambda job: Told(lasts=True))
    worker.queue.add("learn")
    until(lambda: worker.queue.job(1).state == "running", "it does not begin")
    worker.stop()
    assert JobQueue(tmp_path).job(1).state == "waiting"


def test_a_child_runs_a_command_of_aqa_and_keeps_foreign_code_out(tmp_path: Path) -> None:
    (tmp_path / "cli.py").write_text("raise SystemExit('foreign code ran')")
    child = Child(["heads", "--help"], folder=tmp_path, locked=tmp_path)
    text = "".join(child.pieces())
    assert (child.wait(), text.startswith("Usage: aqa heads")) == (0, True), text


def test_a_child_that_is_told_to_end_ends(tmp_path: Path) -> None:
    child = Child(["heads"], folder=tmp_path, locked=tmp_path)
    child.end()
    assert child.wait() == -signal.SIGTERM


PARENT = """
import sys, time
from pathlib import Path
from aqa.serve.jobs import child
child.START = child.START.split("from cli")[0] + "print('begun', flush=True)\\nimport time\\ntime.sleep(600)"
started = child.Child([], folder=Path(sys.argv[1]), locked=Path(sys.argv[1]))
next(started.pieces())
print(started.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_child_ends_with_its_parent_even_if_that_is_killed(tmp_path: Path, until: Until) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    with parent.stdout as said:
        pid = int(said.readline())
        os.kill(pid, 0)
        parent.kill()
        parent.wait()
    until(lambda: not is_running(pid), "the child outlives its parent")


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
