"""Give freed memory back to the system during a long video.

Frames are allocated in decoding threads and freed in the main one, networks allocate in threads of their own.
glibc keeps what each of its arenas has freed: one hour of video grew to 3.2 GB that way, of which 1 GB was in
use. Other C libraries return memory by themselves.
"""

import ctypes
import sys
import time

TRIM_SECONDS = 1.0  # a trim takes about a millisecond per 100 MB handed back


class MemoryTrim:
    """A function to call often: once a second it gives freed memory back."""

    def __init__(self) -> None:
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
        self._last = time.monotonic()

    def __call__(self) -> None:
        """Give freed memory back if a second has passed since the last time."""
        if self._trim is not None and time.monotonic() - self._last > TRIM_SECONDS:
            self._trim(0)
            self._last = time.monotonic()
