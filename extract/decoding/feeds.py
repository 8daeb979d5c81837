"""Several videos are decoded at once, each in a process of its own; what comes out meets in one queue.

Whoever iterates gets the frames of the earliest video that has any: while the network is the slow part,
videos are finished one after another, and a killed run loses little; while decoding is, all of them move on.
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
from extract.decoding.budget import Budget
from extract.decoding.child import Finished
from extract.decoding.decode import Job, Opened, PreparedFrame
from extract.decoding.parent import Decoder
from extract.streams.stream import Stream

AHEAD_BYTES = 48 * 1024**2  # decoded ahead of the network, per video: 300 prepared frames, or 8 of 1080p
MEMORY_BYTES = 4 * 1024**3  # of one decoder: 8K video with 16 reference frames takes 1.4 GiB
LEAST_MEMORY_BYTES = 1024**3  # 4K video takes half of it
TICK_SECONDS = 0.25

Item = Opened | PreparedFrame | Finished | Exception


@dataclass(frozen=True)
class Patience:
    """How long a decoder may show no sign of life, and how long it may take for one video; None: for ever."""

    silence: float | None = 120.0
    total: float | None = None


@dataclass(eq=False)
class Feed:
    """One video on its way through a decoder."""

    order: int
    video: Video
    streams: Sequence[Stream]
    budget: Budget = field(default_factory=lambda: Budget(AHEAD_BYTES))
    dropped: bool = False

    def drop(self) -> None:
        """Nothing of it is wanted any more."""
        self.dropped = True
        self.budget.close()


class Feeds:
    """Decodes the videos in `workers` processes from `with` on; iterate for (feed, item) until all are done.

    Of each feed come `Opened`, its frames in order, and a last item: `Finished`, or the exception that ended
    it. `streams_of` names the streams that a video needs when its turn comes; videos that need none are left
    out.
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
        for _ in range(self._num_workers + 1):  # one more, so that no decoder waits for its next video
            self._admit()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops every decoder, wherever it is."""
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
        """Ends a feed, whether it has come to its end or not, and lets the next video in."""
        feed.drop()
        if feed in self._in_flight:
            self._in_flight.remove(feed)
            self._admit()

    def _admit(self) -> None:
        for order, video in self._videos:
            if streams := self._streams_of(video):
                feed = Feed(order, video, streams)
                self._in_flight.add(feed)
                self._waiting.put(feed)
                return

    def _work(self) -> None:
        """One thread per decoder: hands it jobs, and hands on what it gives."""
        while (feed := self._waiting.get()) is not None:
            try:
                self._feed(feed)
            except Exception as error:  # handed to the iterating thread, which names the video
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
        """This thread's decoder: the one it has, or another where that died; None after the end."""
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
        """Stops decoders that take too long."""
        while not self._closed.wait(TICK_SECONDS):
            with self._lock:
                for decoder in self._decoders.values():
                    decoder.stop_if_late(silence=self._patience.silence, total=self._patience.total)


def _size(item: Item) -> int:
    return item.num_bytes if isinstance(item, PreparedFrame) else 0


def memory_of_one(workers: int) -> int:
    """Bytes that each of so many decoders may take: together half of the machine, each 1 to 4 GiB."""
    with suppress(ValueError, OSError, AttributeError):  # not every system tells its memory
        half = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
        return min(MEMORY_BYTES, max(LEAST_MEMORY_BYTES, half // workers))
    return MEMORY_BYTES
