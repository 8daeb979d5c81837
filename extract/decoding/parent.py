"""The parent's side of a decoding process: send jobs, receive frames, explain why the process died."""

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

# The child gets the parent's search path as it is now; -P keeps the current folder out.
START = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from extract.decoding.child import main
main()
"""
# The most that one interval between two looks at the clock counts for, four times the usual interval. A
# longer interval means that this program was stopped meanwhile.
LONGEST_LOOK_SECONDS = 1.0
SIGKILL = 9  # signal.SIGKILL, which Windows lacks


class Decoder:
    """One child process that decodes videos one after another, until it is closed or dies.

    One thread uses the decoder. Any thread may call `stop` and `stop_if_late`.
    """

    def __init__(self, *, memory_bytes: int) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  stderr: C libraries' last messages
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", START, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            start_new_session=True,  # Ctrl-C in the terminal reaches the parent alone
        )
        self._lock = threading.Lock()
        self._waiting_since: float | None = None
        self._looked_at = 0.0
        self._waited = 0.0  # seconds of the current wait that `stop_if_late` has counted
        self._job_seconds = 0.0
        self._stopped: str | None = None
        self._idle = True
        level = logging.getLogger().getEffectiveLevel()
        self._send(Orders(os.getpid(), memory_bytes, level))

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def usable(self) -> bool:
        """True if the process is alive and not in the middle of a job."""
        return self._idle and self._process.poll() is None

    def decode(self, job: Job) -> Iterator[Opened | PreparedFrame]:
        """Yield what `extract.decoding.decode.decode` yields. Leaving the loop early stops the process.

        Raise `VideoError` if the video cannot be decoded, or if the process dies meanwhile.
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
        """Stop the process after `silence` seconds without a message, or `total` seconds on one video.

        Call this several times a second. Only time in which a thread waits for the decoder counts, and one
        interval between two calls counts for at most `LONGEST_LOOK_SECONDS`: a decoder is not blamed for
        time in which this program was stopped or the machine slept.
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
        """Kill the process at once. The error of the waiting thread will say `why`."""
        with self._lock:
            self._stop(why)

    def _stop(self, why: str) -> None:
        self._stopped = self._stopped or why
        self._process.kill()

    def close(self) -> None:
        """Kill the process and close its pipes."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except BrokenPipeError:  # the process died before it read the last message
                log.debug("decoder %d did not read everything", self.pid)
        self._said.close()

    def _send(self, message: object) -> None:
        assert self._process.stdin is not None
        try:
            send(self._process.stdin, message)
        except BrokenPipeError:
            log.debug("decoder %d is dead already: reading from it will say why", self.pid)

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
        """Return why the process ended, and after which frame."""
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
        """Return the last line that the process wrote to stderr, up to 200 characters."""
        self._said.seek(max(0, self._said.seek(0, os.SEEK_END) - 1000))
        lines = self._said.read().decode(errors="replace").split("\n")
        return next((line.strip()[:200] for line in reversed(lines) if line.strip()), "")


def _name(number: int) -> str:
    return signal.Signals(number).name if number in list(signal.Signals) else "unknown"
