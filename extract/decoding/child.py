"""The program of a decoding process: it reads jobs from stdin and writes decoded frames to stdout.

The process imports no torch and is not a fork, so it starts in a third of a second. A decoder that crashes,
hangs or exhausts memory ends this process and nothing else. The process never outlives its parent.
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
FIRST_TO_BE_KILLED = 500  # added to our score (up to 1000) with the kernel's out-of-memory killer


@dataclass(frozen=True)
class Finished:
    """The last message about a video: every wanted frame was sent."""


@dataclass(frozen=True)
class Failed:
    """The last message about a video that cannot be decoded.

    `bug` is the traceback of an error that the code does not expect.
    """

    reason: str
    bug: str | None = None


@dataclass(frozen=True)
class Alive:
    """A sign of life from a decoder that has no frame to send yet."""


@dataclass(frozen=True)
class Orders:
    """Settings that a decoding process gets when it starts. `parent` is the parent's process id."""

    parent: int
    memory_bytes: int
    log_level: int


def main() -> None:
    """Decode one job after another until the parent closes the pipe or dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    inbox = os.fdopen(os.dup(0), "rb")
    line = Line(os.fdopen(os.dup(1), "wb", buffering=0))
    os.dup2(2, 1)  # a library's prints must not mix with the messages
    orders: Orders = receive(inbox)
    _stay_within(orders)
    logging.basicConfig(handlers=[Forwarding(line)], level=orders.log_level)
    jobs: SimpleQueue[Job | Exception] = SimpleQueue()
    threading.Thread(target=_collect, args=(inbox, jobs), daemon=True).start()
    while True:
        line.send(_outcome(jobs.get(), line, memory_bytes=orders.memory_bytes))


def _stay_within(orders: Orders) -> None:
    """Bound this process's memory, and end it when its parent ends."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # elsewhere RLIMIT_DATA does not count what malloc maps
        resource.setrlimit(resource.RLIMIT_DATA, (orders.memory_bytes, orders.memory_bytes))
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
            file.write(str(FIRST_TO_BE_KILLED))  # a container may forbid writing here
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != orders.parent:  # the parent died before prctl
        os._exit(1)
    import cv2

    cv2.setNumThreads(1)  # the decoding processes already use all cores


def _collect(inbox: BinaryIO, jobs: SimpleQueue[Job | Exception]) -> None:
    """Read jobs in a separate thread, so that the parent's end is noticed in the middle of a video too."""
    while True:
        try:
            jobs.put(receive(inbox))
        except EOFError:
            os._exit(0)
        except Exception as error:  # for instance an intake whose module cannot be imported here
            jobs.put(error)


def _outcome(job: Job | Exception, line: "Line", *, memory_bytes: int) -> Finished | Failed:
    """Decode one job, send what it gives, and return the last message about it."""
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
    """The pipe to the parent. Writing to a broken pipe ends this process."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._lock = threading.Lock()  # libraries may log from threads of their own
        self._last = time.monotonic()

    def send(self, message: object) -> None:
        """Send one message; threads may call this at the same time."""
        with self._lock:
            try:
                send(self._file, message)
            except BrokenPipeError:
                os._exit(0)
            self._last = time.monotonic()

    def alive(self) -> None:
        """Send `Alive` if nothing was sent for a second."""
        if time.monotonic() - self._last > ALIVE_EVERY_SECONDS:
            self.send(Alive())


class Forwarding(logging.Handler):
    """Send log records to the parent, which hands them to its own loggers."""

    def __init__(self, line: Line) -> None:
        super().__init__()
        self._line = line

    def emit(self, record: logging.LogRecord) -> None:
        """Send the record with its message formatted."""
        record.msg, record.args = record.getMessage(), None
        record.exc_info = None  # tracebacks cannot be pickled
        self._line.send(record)
