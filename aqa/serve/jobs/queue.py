"""The queue: every change is on disk before anybody sees it, so that a restart finds all jobs."""

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aqa.serve.jobs.job import Ending, Job, Kind, read_job, record_path, write_job
from aqa_pipeline.errors import AqaError, UnknownName

MOST_STARTS = 3  # a job that ended the server so often is given up
MOST_KEPT = 500  # ended jobs
NEVER_ENDED = f"Given up: the server ended {MOST_STARTS} times while this ran. Is there enough memory?"


class JobQueue:
    """The jobs of a folder, by number. Any thread may use it. One process at a time may have it open.

    `problems` are the reasons of records that could not be read; their files stay as they are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[str] = []
        self._jobs: dict[int, Job] = {}
        self._changed = threading.Condition()
        self._is_closed = False
        for path in sorted(folder.glob("*.json")):
            try:
                job = read_job(path)
            except AqaError as error:
                self.problems.append(str(error))
            else:
                self._jobs[job.number] = job
        for job in self.jobs():
            if job.state == "running":
                self._take_up(job)

    def jobs(self) -> list[Job]:
        """Return all jobs, the latest first."""
        with self._changed:
            return sorted(self._jobs.values(), key=lambda job: -job.number)

    def job(self, number: int) -> Job:
        """Return the job of that number; raise `UnknownName`."""
        with self._changed:
            if number not in self._jobs:
                raise UnknownName("job", str(number), map(str, self._jobs))
            return self._jobs[number]

    def add(self, kind: Kind, video: str = "") -> Job:
        """Append a job and return it; a job for the same that waits already is returned instead."""
        with self._changed:
            for job in self._jobs.values():
                if (job.kind, job.video, job.state) == (kind, video, "waiting"):
                    return job
            number = 1 + max([*self._jobs, *self._numbers_on_disk()], default=0)
            job = self._keep(Job(number=number, kind=kind, video=video, created=time.time()))
            self._forget_oldest()
            self._changed.notify_all()
            return job

    def take(self) -> Job | None:
        """Wait for a job that waits, mark it as running and return it; None once the queue is closed."""
        with self._changed:
            while not self._is_closed:
                waiting = [job for _, job in sorted(self._jobs.items()) if job.state == "waiting"]
                if waiting:
                    started = {"state": "running", "started": time.time(), "starts": waiting[0].starts + 1}
                    return self._keep(waiting[0].model_copy(update=started))
                self._changed.wait()
            return None

    def end(self, number: int, state: Ending, words: str = "") -> Job:
        """Record how a job ended; a job that has ended stays as it is."""
        with self._changed:
            job = self.job(number)
            if not job.is_live:
                return job
            return self._keep(job.model_copy(update=self._ending(state, words)))

    def close(self) -> None:
        """Let `take` return None. A job that runs stays running on disk: the next start takes it up."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _take_up(self, job: Job) -> None:
        """Let a job wait again whose server ended, unless that happened too often."""
        given_up = job.starts >= MOST_STARTS
        self._keep(
            job.model_copy(update=self._ending("failed", NEVER_ENDED) if given_up else {"state": "waiting"})
        )

    def _ending(self, state: str, words: str) -> Mapping[str, Any]:
        return {"state": state, "ended": time.time(), "words": words}

    def _keep(self, job: Job) -> Job:
        write_job(self.folder, job)
        self._jobs[job.number] = job
        return job

    def _numbers_on_disk(self) -> list[int]:
        """Return the numbers of all records, those that could not be read among them: none is overwritten."""
        return [int(path.stem) for path in self.folder.glob("*.json") if path.stem.isdecimal()]

    def _forget_oldest(self) -> None:
        ended = sorted(number for number, job in self._jobs.items() if not job.is_live)
        for number in ended[: max(0, len(ended) - MOST_KEPT)]:
            record_path(self.folder, number).unlink(missing_ok=True)
            transcript_path(self.folder, number).unlink(missing_ok=True)
            del self._jobs[number]


def transcript_path(folder: Path, number: int) -> Path:
    """Return the file of what a job's command printed."""
    return record_path(folder, number).with_suffix(".txt")
