"""Freed memory goes back to the system while a long video runs.

Frames are allocated in decoding threads and freed in the main one, networks allocate in threads of their own.
glibc keeps what each of its arenas has freed: one hour of video grew to 3.2 GB that way, of which 1 GB was in
use. Other C libraries return memory by themselves.
"""

import ctypes
import sys
import time

TRIM_SECONDS = 1.0  # a trim takes about a millisecond per 100 MB handed back


class MemoryTrim:
    """Call it often; once a second it hands back what has been freed."""

    def __init__(self) -> None:
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
        self._last = time.monotonic()

    def __call__(self) -> None:
        """Give freed memory back, if some time has passed since the last call."""
        if self._trim is not None and time.monotonic() - self._last > TRIM_SECONDS:
            self._trim(0)
            self._last = time.monotonic()
