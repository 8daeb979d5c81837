"""An `aqa` command in a forked process, which a campaign can kill."""

import contextlib
import os
import signal
import sys
import time
import traceback
from pathlib import Path

from campaigns.inputs.samples import aqa
from campaigns.kills import wait_for_a_write

TEXT_BYTES = 50_000  # fewer than a pipe holds, so that the process never waits for a reader


class Command:
    """An `aqa` command that runs in a forked process."""

    def __init__(self, words: tuple[object, ...]) -> None:
        sys.stdout.flush()
        self._text_pipe, there = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            self._work(words, there)
        os.close(there)

    def _work(self, words: tuple[object, ...], pipe: int) -> None:
        try:
            code, text = aqa(*words)
        except BaseException:  # a user would see this traceback
            code, text = 99, traceback.format_exc()
        os.write(pipe, text.encode()[-TEXT_BYTES:])
        os._exit(code)

    def ended(self) -> tuple[int | None, str]:
        """Wait for the end. Return the exit code (None if killed), and all that a user would read."""
        _, status = os.waitpid(self.pid, 0)
        with os.fdopen(self._text_pipe, "rb") as pipe:
            text = pipe.read().decode(errors="replace")
        return None if os.WIFSIGNALED(status) else os.WEXITSTATUS(status), text

    def killed(self, place: Path, after: float | None) -> tuple[int | None, str]:
        """Kill the command after so many seconds, or (None) as soon as a file is half written.

        Return what `ended` returns.
        """
        if after is None:
            wait_for_a_write(place, self.pid)
        else:
            time.sleep(after)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        return self.ended()
