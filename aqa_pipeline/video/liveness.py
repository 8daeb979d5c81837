"""Signs of life while a video is read, so that a caller can tell a long file from a decoder that hangs.

An hour of MPEG-TS is decoded for minutes before its first frame is returned. During that time, a packet or a
decoded frame comes every few milliseconds.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_listener: ContextVar[Callable[[], None] | None] = ContextVar("listener", default=None)


@contextmanager
def heard_by(listener: Callable[[], None]) -> Iterator[None]:
    """Call the listener at every sign of life of this thread's readers within the block."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def sign_of_life() -> None:
    """Call the listener: a packet was read, a frame decoded, or a piece of a file hashed."""
    if (listener := _listener.get()) is not None:
        listener()
