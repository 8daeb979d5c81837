"""What a decoding process runs: jobs come in through its stdin, what they give goes out through its stdout.

It imports no torch and forks from nothing, so it starts in a third of a second. A decoder that crashes, hangs
or eats memory takes this process with it and nothing else; and it never outlives its parent.
"""

import contextlib
import ctypes
import logging
import os
import signal
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from queue import SimpleQueue
from typing import BinaryIO

from aqa_pipeline.errors import AqaError
from aqa_pipeline.video.liveness import heard_by
from extract.decoding.decode import Job, decode
from extract.decoding.pipe import receive, send

ALIVE_EVERY_SECONDS = 1.0
PR_SET_PDEATHSIG = 1  # linux/prctl.h
FIRST_TO_BE_KILLED = 500  # of 1000, added to what the kernel's out-of-memory killer makes of us


@dataclass(frozen=True)
class Finished:
    """The last word about a video: all of it was sent."""


@dataclass(frozen=True)
class Failed:
    """The last word about a video that cannot be decoded; a `bug` is an error that nobody foresaw."""

    reason: str
    bug: str | None = None


@dataclass(frozen=True)
class Alive:
    """Nothing to show yet, but the work goes on."""


@dataclass(frozen=True)
class Orders:
    """What a decoding process is told when it starts."""

    parent: int
    memory_bytes: int
    log_level: int


def main() -> None:
    """Decodes one job after another until the parent closes the pipe or dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    inbox = os.fdopen(os.dup(0), "rb")
    line = Line(os.fdopen(os.dup(1), "wb", buffering=0))
    os.dup2(2, 1)  # what a library prints must not get between the messages
    orders: Orders = receive(inbox)
    _stay_within(orders)
    logging.basicConfig(handlers=[Forwarding(line)], level=orders.log_level)
    jobs: SimpleQueue[Job | Exception] = SimpleQueue()
    threading.Thread(target=_collect, args=(inbox, jobs), daemon=True).start()
    while True:
        line.send(_outcome(jobs.get(), line, memory_bytes=orders.memory_bytes))


def _stay_within(orders: Orders) -> None:
    """Bounds this process, and ties its life to its parent's."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # elsewhere RLIMIT_DATA does not count what malloc maps
        resource.setrlimit(resource.RLIMIT_DATA, (orders.memory_bytes, orders.memory_bytes))
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
            file.write(str(FIRST_TO_BE_KILLED))  # a container may forbid it
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != orders.parent:  # it died before the kernel knew that we want to know
        os._exit(1)
    import cv2

    cv2.setNumThreads(1)  # processes work side by side, threads in each would only get in their way


def _collect(inbox: BinaryIO, jobs: SimpleQueue[Job | Exception]) -> None:
    """Reads in a thread of its own, so that the parent's end is noticed even in the middle of a video."""
    while True:
        try:
            jobs.put(receive(inbox))
        except EOFError:
            os._exit(0)
        except Exception as error:  # an intake that cannot be imported here
            jobs.put(error)


def _outcome(job: Job | Exception, line: "Line", *, memory_bytes: int) -> Finished | Failed:
    """Sends what the video gives, and returns what became of it."""
    if isinstance(job, Exception):
        return Failed(f"{type(job).__name__}: {job}", bug="".join(traceback.format_exception(job)))
    try:
        with heard_by(line.alive):
            for item in decode(job):
                line.send(item)
    except AqaError as error:
        return Failed(str(error))
    except MemoryError:
        return Failed(
            f"{job.video.path}: decoding takes more than the {memory_bytes // 1024**2} MiB that a decoder may"
            " take. With fewer --workers each of them may take more."
        )
    except OSError as error:
        return Failed(f"{job.video.path}: {error.strerror or error}")
    except Exception as error:
        return Failed(f"{type(error).__name__}: {error}", bug=traceback.format_exc())
    return Finished()


class Line:
    """The way out to the parent. A line that is cut ends the process."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._lock = threading.Lock()  # libraries may log from threads of their own
        self._last = time.monotonic()

    def send(self, message: object) -> None:
        with self._lock:
            try:
                send(self._file, message)
            except BrokenPipeError:
                os._exit(0)
            self._last = time.monotonic()

    def alive(self) -> None:
        """Says so once a second, if nothing else was said."""
        if time.monotonic() - self._last > ALIVE_EVERY_SECONDS:
            self.send(Alive())


class Forwarding(logging.Handler):
    """Hands log records to the parent, whose handlers know where they belong."""

    def __init__(self, line: Line) -> None:
        super().__init__()
        self._line = line

    def emit(self, record: logging.LogRecord) -> None:
        record.msg, record.args = record.getMessage(), None
        record.exc_info = None  # tracebacks cannot be pickled
        self._line.send(record)
