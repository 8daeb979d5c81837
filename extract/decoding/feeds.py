"""Decode several videos at once, each in its own process, into one queue.

The iterator yields frames of the earliest video that has any. While the network limits the speed, videos are
finished one after another, and a killed run loses little. While decoding limits it, all videos advance.
"""

import itertools
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from queue import PriorityQueue, SimpleQueue
from types import TracebackType
from typing import Self

from aqa_pipeline.records import Video
from aqa_pipeline.video import ReaderName
from extract.decoding.child import Finished
from extract.decoding.decode import Job, Opened, PreparedFrame
from extract.decoding.parent import Decoder
from extract.streams.stream import Stream

AHEAD_BYTES = 48 * 1024**2  # decoded ahead of the network, per video: 300 prepared frames, or 8 of 1080p
MEMORY_BYTES = 4 * 1024**3  # the most for one decoder: 8K video with 16 reference frames takes 1.4 GiB
LEAST_MEMORY_BYTES = 1024**3  # the least for one decoder: 4K video takes half of this
TICK_SECONDS = 0.25

Item = Opened | PreparedFrame | Finished | Exception


@dataclass(frozen=True)
class Patience:
    """How many seconds a decoder may be silent, and may take for one video; None is no limit."""

    silence: float | None = 120.0
    total: float | None = None


class Budget:
    """A bound on the memory of decoded, not yet used items: `limit` bytes, or one larger item alone."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0
        self._closed = False
        self._changed = threading.Condition()

    def take(self, num_bytes: int) -> bool:
        """Wait until there is room, and take it. Return False if the budget is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or not self._used or self._fits(num_bytes))
            self._used += num_bytes
            return not self._closed

    def _fits(self, num_bytes: int) -> bool:
        return self._used + num_bytes <= self._limit

    def give_back(self, num_bytes: int) -> None:
        """Free the bytes of an item that was used."""
        with self._changed:
            self._used -= num_bytes
            self._changed.notify_all()

    def close(self) -> None:
        """Wake all threads that wait in `take`; their items are not wanted any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


@dataclass(eq=False)
class Feed:
    """One video that is being decoded, or waits for a decoder."""

    order: int
    video: Video
    streams: Sequence[Stream]
    budget: Budget = field(default_factory=lambda: Budget(AHEAD_BYTES))
    dropped: bool = False

    def drop(self) -> None:
        """Mark the video as not wanted any more."""
        self.dropped = True
        self.budget.close()


class Feeds:
    """Decodes videos in `workers` processes; a context manager that iterates over (feed, item) pairs.

    Each feed gives `Opened`, its frames in order, and a last item: `Finished`, or the exception that ended
    it. `streams_of` is asked when a video's turn comes, and returns the streams to make of that video.
    Videos without such streams are skipped.
    """

    def __init__(
        self,
        videos: Sequence[Video],
        streams_of: Callable[[Video], Sequence[Stream]],
        *,
        reader: ReaderName,
        workers: int,
        patience: Patience,
    ) -> None:
        self._videos = enumerate(videos)
        self._streams_of, self._reader, self._patience = streams_of, reader, patience
        self._num_workers = min(workers, len(videos))
        self._in_flight: set[Feed] = set()
        self._waiting: SimpleQueue[Feed | None] = SimpleQueue()
        self._ready: PriorityQueue[tuple[int, int, Feed, Item]] = PriorityQueue()
        self._sequence = itertools.count()
        self._decoders: dict[threading.Thread, Decoder] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name=f"decode-{at}", daemon=True)
            for at in range(self._num_workers)
        ]
        self._threads.append(threading.Thread(target=self._watch, name="decode-watch", daemon=True))

    def __enter__(self) -> Self:
        for _ in range(self._num_workers + 1):  # one spare, so that no decoder waits for its next video
            self._admit()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all decoders and join all threads."""
        for feed in self._in_flight:
            feed.drop()
        with self._lock:
            self._closed.set()
            for decoder in self._decoders.values():
                decoder.stop("the run has ended")
        for _ in range(self._num_workers):
            self._waiting.put(None)
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def __iter__(self) -> Iterator[tuple[Feed, Item]]:
        while self._in_flight:
            _, _, feed, item = self._ready.get()
            feed.budget.give_back(_size(item))
            if feed.dropped:
                continue
            yield feed, item
            if isinstance(item, Finished | Exception):
                self.drop(feed)

    def drop(self, feed: Feed) -> None:
        """End a feed, finished or not, and admit the next video."""
        feed.drop()
        if feed in self._in_flight:
            self._in_flight.remove(feed)
            self._admit()

    def _admit(self) -> None:
        """Queue the next video that needs any stream."""
        for order, video in self._videos:
            if streams := self._streams_of(video):
                feed = Feed(order, video, streams)
                self._in_flight.add(feed)
                self._waiting.put(feed)
                return

    def _work(self) -> None:
        """Send jobs to one decoder and queue what it gives; the body of one thread per decoder."""
        while (feed := self._waiting.get()) is not None:
            try:
                self._feed(feed)
            except Exception as error:  # the iterating thread reports it with the video's id
                self._put(feed, error)
        with self._lock:
            if decoder := self._decoders.pop(threading.current_thread(), None):
                decoder.close()

    def _feed(self, feed: Feed) -> None:
        job = Job(feed.video, tuple(stream.intake for stream in feed.streams), self._reader)
        decoder = self._decoder()
        if feed.dropped or decoder is None:
            return
        for item in decoder.decode(job):
            if not feed.budget.take(_size(item)):
                return
            self._put(feed, item)
        self._put(feed, Finished())

    def _put(self, feed: Feed, item: Item) -> None:
        self._ready.put((feed.order, next(self._sequence), feed, item))

    def _decoder(self) -> Decoder | None:
        """Return the current thread's decoder, a new one if the last died; None after the run's end."""
        mine = threading.current_thread()
        with self._lock:
            if self._closed.is_set():
                return None
            decoder = self._decoders.get(mine)
            if decoder is None or not decoder.usable:
                if decoder is not None:
                    decoder.close()
                decoder = self._decoders[mine] = Decoder(memory_bytes=memory_of_one(self._num_workers))
            return decoder

    def _watch(self) -> None:
        """Stop decoders that exceed the patience, until the run ends."""
        while not self._closed.wait(TICK_SECONDS):
            with self._lock:
                for decoder in self._decoders.values():
                    decoder.stop_if_late(silence=self._patience.silence, total=self._patience.total)


def _size(item: Item) -> int:
    return item.num_bytes if isinstance(item, PreparedFrame) else 0


def memory_of_one(workers: int) -> int:
    """Return how many bytes each of `workers` decoders may use: half of the RAM shared, 1 to 4 GiB each."""
    with suppress(ValueError, OSError, AttributeError):  # not every system has these names
        half = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
        return min(MEMORY_BYTES, max(LEAST_MEMORY_BYTES, half // workers))
    return MEMORY_BYTES
