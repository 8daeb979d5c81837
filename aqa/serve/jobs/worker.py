"""The worker: one thread that runs the jobs of the queue, one after the other."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from aqa.serve.jobs.job import MOST_WORDS, Job
from aqa.serve.jobs.queue import JobQueue, transcript_path
from aqa.serve.jobs.transcript import Transcript
from aqa_pipeline.disk.files import write_whole
from aqa_pipeline.errors import AqaError
from aqa_pipeline.untrusted.bounded_files import read_bounded_text

LARGEST_TRANSCRIPT = 4 * 1024**2  # bytes


class Running(Protocol):
    """A command that was started: see `child.Child`."""

    def pieces(self) -> Iterator[str]:
        """Yield what the command prints."""
        ...

    def wait(self) -> int:
        """Return the exit code."""
        ...

    def end(self) -> None:
        """End the command."""
        ...


class Worker:
    """Runs the jobs of a queue; `begin` starts the command of one.

    `stop` leaves the job that runs on disk as running, so that the next start takes it up.
    """

    def __init__(self, queue: JobQueue, begin: Callable[[Job], Running]) -> None:
        self.queue = queue
        self._begin = begin
        self._lock = threading.Lock()
        self._running: tuple[int, Running, Transcript] | None = None
        self._cancelled: set[int] = set()
        self._is_stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin with the first job."""
        self._thread = threading.Thread(target=self._work, name="jobs", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the command that runs, and the worker."""
        with self._lock:
            self._is_stopping = True
            running = self._running
        self.queue.close()
        if running is not None:
            running[1].end()
        if self._thread is not None:
            self._thread.join()

    def cancel(self, number: int) -> None:
        """Take a job out of the queue, or end its command. A job that has ended stays.

        Raises `UnknownName`.
        """
        with self._lock:
            running = self._running
            if running is not None and running[0] == number:
                self._cancelled.add(number)
            elif self.queue.job(number).state == "waiting":
                self.queue.end(number, "cancelled")
                return
            else:
                return
        running[1].end()

    def transcript(self, number: int) -> Transcript:
        """Return what the job's command has printed so far, or what it printed; empty if there is nothing."""
        with self._lock:
            if self._running is not None and self._running[0] == number:
                return self._running[2]
        kept, path = Transcript(), transcript_path(self.queue.folder, number)
        if path.is_file():
            kept.feed(read_bounded_text(path, most_bytes=LARGEST_TRANSCRIPT))
        return kept

    def _work(self) -> None:
        while (job := self.queue.take()) is not None:
            self._run(job)

    def _run(self, job: Job) -> None:
        transcript = Transcript()
        try:
            command = self._begin(job)
        except (AqaError, OSError) as error:  # a folder that is a link, no memory for a process
            self.queue.end(job.number, "failed", f"The command did not start: {error}"[:MOST_WORDS])
            return
        with self._lock:
            self._running = (job.number, command, transcript)
            stopped_meanwhile = self._is_stopping
        if stopped_meanwhile:
            command.end()
        for piece in command.pieces():
            transcript.feed(piece)
        code = command.wait()
        self._keep(job.number, transcript)
        with self._lock:
            self._running = None
            cancelled, stopping = job.number in self._cancelled, self._is_stopping
        if cancelled:
            self.queue.end(job.number, "cancelled")
        elif not stopping:
            about = f"{Path(job.video).name}: " if code == 0 and job.video else ""
            words = transcript.closing_words(about) or (
                "" if code == 0 else f"The command ended with code {code}."
            )
            self.queue.end(job.number, "done" if code == 0 else "failed", words[:MOST_WORDS])

    def _keep(self, number: int, transcript: Transcript) -> None:
        path: Path = transcript_path(self.queue.folder, number)
        write_whole(path, "\n".join([*transcript.lines, ""]).encode())
