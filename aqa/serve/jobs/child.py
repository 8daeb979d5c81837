"""Run a command of `aqa` in a process of its own, which ends with this one, even if this one is killed."""

import codecs
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

# The child gets the parent's search path; -P and the filter below keep the project's folder out of it.
START = """
import json, sys
sys.path[:] = json.loads(sys.argv.pop(1))
from aqa.serve.jobs.child import bind_to_parent
bind_to_parent(sys.argv.pop(1))
from cli import main
main(prog_name="aqa")
"""
BAR_SECONDS = "1"  # between two states of a progress bar
GRACE_SECONDS = 5.0  # between asking the child to end and killing it
PIECE_BYTES = 65536


class Child:
    """A running command. One thread reads what it prints; any thread may end it."""

    def __init__(self, words: Sequence[str], *, folder: Path, locked: Path) -> None:
        """Start `aqa WORDS...` in `folder`; it waits until no earlier child holds the folder `locked`."""
        search = [place for place in sys.path if place]
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", START, json.dumps(search), str(locked), *words],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_environment(os.environ),
            start_new_session=True,  # Ctrl-C in the terminal reaches the server alone
        )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def pieces(self) -> Iterator[str]:
        """Yield what the command prints, as it comes, until it ends."""
        assert self._process.stdout is not None
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        while piece := os.read(self._process.stdout.fileno(), PIECE_BYTES):
            yield decoder.decode(piece)

    def wait(self) -> int:
        """Wait for the end of the command, and return its exit code."""
        code = self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(OSError):
                pipe.close()
        return code

    def end(self) -> None:
        """End the command and its own children: ask first, kill after a few seconds."""
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, number)
            else:  # Windows
                self._process.terminate()


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    return {**given, "AQA_BAR_SECONDS": BAR_SECONDS, "PYTHONIOENCODING": "utf-8"}


def bind_to_parent(locked: str) -> None:
    """In the child: end when the parent does, and wait for the end of an earlier parent's child.

    The parent never writes to standard input. It is closed when the parent ends, however that happens.
    """
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        import fcntl

        held = os.open(locked, os.O_RDONLY)  # never closed: the lock ends with this process
        fcntl.flock(held, fcntl.LOCK_EX)
    except (ImportError, OSError):  # no locks here
        return


def _end_with_parent() -> None:
    with suppress(OSError, ValueError):
        while os.read(0, 1):
            pass
    os._exit(1)
