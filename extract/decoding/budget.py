"""A bound on the memory of what was decoded and not yet used."""

import threading


class Budget:
    """At most `limit` bytes at once, or one item alone that is larger."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0
        self._closed = False
        self._changed = threading.Condition()

    def take(self, num_bytes: int) -> bool:
        """Waits until there is room, and takes it; False once the budget is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or not self._used or self._fits(num_bytes))
            self._used += num_bytes
            return not self._closed

    def _fits(self, num_bytes: int) -> bool:
        return self._used + num_bytes <= self._limit

    def give_back(self, num_bytes: int) -> None:
        with self._changed:
            self._used -= num_bytes
            self._changed.notify_all()

    def close(self) -> None:
        """Nobody waits any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
