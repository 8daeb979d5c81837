"""Batches that a second thread cuts while the network works on the one before."""

import queue
import threading
import time
from collections.abc import Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")
AHEAD = 2  # batches that wait for the network


class Loading:
    """The batches of an epoch, and the share of its time that the network waited for them.

    Batches that are read from files are made `in_a_thread`, those in memory when they are asked for.
    """

    def __init__(self, *, in_a_thread: bool) -> None:
        self._in_a_thread = in_a_thread
        self._waited = self._seconds = 0.0

    @property
    def share(self) -> float | None:
        """The share of the time, 0 to 1; None for batches in memory."""
        return self._waited / self._seconds if self._seconds else None

    def ahead(self, batches: Iterator[Item]) -> Iterator[Item]:
        """Yield the batches in their order."""
        if not self._in_a_thread:
            yield from batches
            return
        begin, prefetched = time.perf_counter(), Prefetched(batches)
        yield from prefetched
        self._seconds = time.perf_counter() - begin
        self._waited = prefetched.waited_seconds


class Prefetched(Generic[Item]):
    """The items of an iterator, made ahead of time in one thread, in their order.

    `waited_seconds` is how long the reader waited for items: what loading adds to the network's time.
    """

    def __init__(self, items: Iterator[Item], *, ahead: int = AHEAD) -> None:
        self.waited_seconds = 0.0
        self._made: queue.Queue[tuple[Item | None, BaseException | None]] = queue.Queue(ahead)
        self._is_stopped = threading.Event()
        self._thread = threading.Thread(target=self._make, args=(items,), daemon=True)

    def __iter__(self) -> Iterator[Item]:
        """Yield the items; an error of the iterator is raised here."""
        self._thread.start()
        try:
            while True:
                begin = time.perf_counter()
                item, error = self._made.get()
                self.waited_seconds += time.perf_counter() - begin
                if error is not None:
                    raise error
                if item is None:
                    return
                yield item
        finally:
            self._is_stopped.set()
            self._thread.join()

    def _make(self, items: Iterator[Item]) -> None:
        try:
            for item in items:
                if not self._put((item, None)):
                    return
        except BaseException as error:
            self._put((None, error))
        else:
            self._put((None, None))

    def _put(self, made: tuple[Item | None, BaseException | None]) -> bool:
        """Wait for room; return False once nobody reads any more."""
        while not self._is_stopped.is_set():
            try:
                self._made.put(made, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False
