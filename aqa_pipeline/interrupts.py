"""Ctrl-C during work of other libraries that crash of it, or that swallow it."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interrupts_wait() -> Iterator[None]:
    """Raise the `KeyboardInterrupt` of a Ctrl-C when the block has ended, and not inside it.

    Python gives signals to its main thread only: in any other thread the block runs as it is.
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
