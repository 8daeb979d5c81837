"""Delay Ctrl-C during calls of libraries that crash on it or ignore it."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interrupts_wait() -> Iterator[None]:
    """Raise the `KeyboardInterrupt` of a Ctrl-C after the block, not inside it.

    Python delivers signals only to its main thread. In any other thread this has no effect.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if heard:
        raise KeyboardInterrupt
