"""A decoding process as its parent sees it: jobs in, frames out, and a reason in words when it dies."""

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from typing import Any

from aqa_pipeline.errors import VideoError
from aqa_pipeline.video.container import ADVICE
from extract.decoding.child import Alive, Failed, Finished, Orders
from extract.decoding.decode import Job, Opened, PreparedFrame
from extract.decoding.pipe import receive, send

log = logging.getLogger(__name__)

# The parent's own search path, whatever was done to it; -P keeps the current folder out.
START = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from extract.decoding.child import main
main()
"""
LONGEST_LOOK_SECONDS = 1.0  # between two looks at the clock, four times the usual: more passed without us
SIGKILL = 9  # signal.SIGKILL, which Windows has not


class Decoder:
    """One child process that decodes videos, one after another, until it is closed or dies.

    One thread uses it; `stop` and `stop_if_late` may be called from any other.
    """

    def __init__(self, *, memory_bytes: int) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  what C libraries say when they give up
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", START, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            start_new_session=True,  # Ctrl-C in the terminal is for the parent alone
        )
        self._lock = threading.Lock()
        self._waiting_since: float | None = None
        self._looked_at = 0.0
        self._waited = 0.0  # seconds of the present waiting, as far as somebody looked
        self._job_seconds = 0.0
        self._stopped: str | None = None
        self._idle = True
        level = logging.getLogger().getEffectiveLevel()
        self._send(Orders(os.getpid(), memory_bytes, level))

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def usable(self) -> bool:
        """Whether it can take a job: alive, and not in the middle of one."""
        return self._idle and self._process.poll() is None

    def decode(self, job: Job) -> Iterator[Opened | PreparedFrame]:
        """What `extract.decoding.decode.decode` gives. Leaving early stops the process.

        Raises `VideoError` if the video cannot be decoded, or if the process dies of it.
        """
        self._idle, self._job_seconds, last_frame = False, 0.0, None
        try:
            self._send(job)
            while not isinstance(message := self._receive(), Finished | Failed):
                if isinstance(message, logging.LogRecord):
                    logging.getLogger(message.name).handle(message)
                elif not isinstance(message, Alive):
                    last_frame = getattr(message, "frame_index", last_frame)
                    yield message
            self._idle = True
        except EOFError:
            raise VideoError(f"{job.video.path}: {self._death(last_frame)}") from None
        finally:
            if not self._idle:
                self.stop("the video was given up")
        if isinstance(message, Failed):
            if message.bug:
                log.error("decoding of %s failed:\n%s", job.video.path, message.bug)
            raise VideoError(message.reason)

    def stop_if_late(self, *, silence: float | None, total: float | None) -> None:
        """Stops it if it has been silent for more than `silence` seconds, or decoding one video for `total`.

        Only the time counts in which somebody waits for it, and as far as this is called again and again:
        while this program is stopped itself, or the machine sleeps, no decoder can show a sign of life.
        """
        with self._lock:
            if self._waiting_since is None:
                return
            now = time.monotonic()
            since_last_look = now - max(self._looked_at, self._waiting_since)
            self._waited += min(since_last_look, LONGEST_LOOK_SECONDS)
            self._looked_at = now
            if silence is not None and self._waited > silence:
                self._stop(f"no sign of life for {silence:g} s (--timeout allows more)")
            elif total is not None and self._job_seconds + self._waited > total:
                self._stop(f"it was at work for {total:g} s (--time-limit allows more)")

    def stop(self, why: str) -> None:
        """Kills it, at once; `why` is told by whoever waits for it."""
        with self._lock:
            self._stop(why)

    def _stop(self, why: str) -> None:
        self._stopped = self._stopped or why
        self._process.kill()

    def close(self) -> None:
        """Ends it and releases its pipes."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except BrokenPipeError:  # it died before it read what was sent last
                log.debug("decoder %d had not read everything", self.pid)
        self._said.close()

    def _send(self, message: object) -> None:
        assert self._process.stdin is not None
        try:
            send(self._process.stdin, message)
        except BrokenPipeError:
            log.debug("decoder %d is dead already: the next reading will tell", self.pid)

    def _receive(self) -> Any:
        assert self._process.stdout is not None
        start = time.monotonic()
        with self._lock:
            self._waiting_since, self._waited = start, 0.0
        try:
            return receive(self._process.stdout)
        finally:
            with self._lock:
                self._waiting_since = None
                passed = time.monotonic() - start
                self._job_seconds += min(passed, self._waited + LONGEST_LOOK_SECONDS)

    def _death(self, last_frame: int | None) -> str:
        """Why the process is no more, and where in the video that was."""
        where = "before its first frame" if last_frame is None else f"after frame {last_frame}"
        code = self._process.wait()
        if self._stopped:
            return f"the decoder was stopped {where}: {self._stopped}. {ADVICE}"
        if code == -SIGKILL:
            return f"the decoder was killed {where} (signal 9, SIGKILL): is the memory full? {ADVICE}"
        how = f"crashed {where} (signal {-code}, {_name(-code)})"
        if code >= 0:
            how = f"ended {where} (exit code {code})"
        said = self._last_words()
        return f"the decoder {how}{': ' if said else ''}{said}. {ADVICE}"

    def _last_words(self) -> str:
        self._said.seek(max(0, self._said.seek(0, os.SEEK_END) - 1000))
        lines = self._said.read().decode(errors="replace").split("\n")
        return next((line.strip()[:200] for line in reversed(lines) if line.strip()), "")


def _name(number: int) -> str:
    return signal.Signals(number).name if number in list(signal.Signals) else "unknown"
