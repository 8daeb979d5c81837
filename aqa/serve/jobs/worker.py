"""The worker: one thread that runs the jobs of the queue, one after the other."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from aqa.serve.jobs.job import MOST_WORDS, Ending, Job
from aqa.serve.jobs.queue import JobQueue, transcript_path
from aqa.serve.jobs.transcript import Transcript
from aqa_pipeline.disk.files import write_whole
from aqa_pipeline.errors import AqaError
from aqa_pipeline.untrusted.bounded_files import read_bounded_text

log = logging.getLogger(__name__)

PAUSE_SECONDS = 5.0  # before the next try to write to a full disk
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
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin with the first job."""
        self._thread = threading.Thread(target=self._work, name="jobs", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the command that runs, and the worker."""
        with self._lock:
            self._stopping.set()
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
        while not self._stopping.is_set():
            try:
                if (job := self.queue.take()) is not None:
                    self._run(job)
            except OSError:  # the disk is full: the job waits on
                self._pause()

    def _run(self, job: Job) -> None:
        try:
            command = self._begin(job)
        except (AqaError, OSError) as error:  # a folder that is a link, no memory for a process
            self._end(job, "failed", f"The command did not start: {error}")
            return
        transcript = Transcript()
        code = self._follow(job, command, transcript)
        with suppress(OSError):  # what was printed is worth less than how the job ended
            path = transcript_path(self.queue.folder, job.number)
            write_whole(path, "\n".join([*transcript.lines, ""]).encode())
        if job.number in self._cancelled:
            self._end(job, "cancelled", "")
        elif code == 0:
            self._end(job, "done", transcript.closing_words(f"{Path(job.video).name}: " if job.video else ""))
        elif not self._stopping.is_set():
            self._end(job, "failed", transcript.closing_words() or f"The command ended with code {code}.")

    def _follow(self, job: Job, command: Running, transcript: Transcript) -> int:
        """Read what the command prints until it ends, and return its exit code."""
        with self._lock:
            self._running = (job.number, command, transcript)
        if self._stopping.is_set():
            command.end()
        for piece in command.pieces():
            transcript.feed(piece)
        code = command.wait()
        with self._lock:
            self._running = None
        return code

    def _end(self, job: Job, state: Ending, words: str) -> None:
        """Record how a job ended, as soon as the disk has room for it."""
        while True:
            try:
                self.queue.end(job.number, state, words[:MOST_WORDS])
                return
            except OSError:
                if self._pause():
                    return

    def _pause(self) -> bool:
        """Wait a little; return whether the worker is to stop."""
        log.exception("the record of a job cannot be written")
        return self._stopping.wait(PAUSE_SECONDS)
