"""Stage 1: videos -> records in the store. One bad video never stops the rest."""

import logging
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

import numpy as np

from aqa_pipeline.errors import AqaError, StoreError
from aqa_pipeline.records import Record, Video
from aqa_pipeline.store import Store
from aqa_pipeline.video import ReaderName
from extract.clock import Clock
from extract.decoding import FrameFeed, Opened, PreparedFrame
from extract.memory import MemoryTrim
from extract.streams import Steps, Stream

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Failure:
    """A video that has no record, and why."""

    video_id: str
    reason: str


@dataclass(frozen=True)
class Written:
    """A new record, in one line."""

    video_id: str
    stream: str
    num_steps: int
    num_steps_without_person: int
    num_bytes: int


@dataclass
class ExtractReport:
    """What a run did. `clock` is where the main thread's time went."""

    written: list[Written] = field(default_factory=list)
    num_done: int = 0
    num_already_there: int = 0
    failures: list[Failure] = field(default_factory=list)
    video_seconds: float = 0.0
    wall_seconds: float = 0.0
    clock: Clock = field(default_factory=Clock)


class Progress(Protocol):
    """Told how far a run is. `videos` counts up to the number of videos and may be fractional."""

    def __call__(self, *, videos: float, video_id: str, clock: Clock) -> None: ...


@dataclass(frozen=True)
class Extraction:
    """What to extract into which store, and how the decoding is done."""

    dataset: str
    store: Store
    streams: Sequence[Stream]
    reader: ReaderName = "auto"
    workers: int = 2
    overwrite: bool = False

    def missing(self, video: Video) -> list[Stream]:
        """The streams that this video still needs."""
        return [
            stream
            for stream in self.streams
            if self.overwrite or not self.store.has(self.dataset, video.video_id, stream.spec)
        ]


def extract(extraction: Extraction, videos: Sequence[Video], *, progress: Progress) -> ExtractReport:
    """Writes the records that are missing; a failing video is named in the report and the rest goes on.

    Raises `StoreError` if the store itself refuses (a full disk): everything written before stays.
    """
    report, start, trim_memory = ExtractReport(), time.perf_counter(), MemoryTrim()
    extraction.store.remove_leftovers()
    todo = [video for video in videos if extraction.missing(video)]
    report.num_already_there = len(videos) - len(todo)
    with _feeds(extraction, todo) as feeds:
        for at, feed in enumerate(feeds):
            try:
                for share in _extract_one(extraction, feed, report):
                    progress(videos=at + share, video_id=feed.video.video_id, clock=report.clock)
                    trim_memory()
            except StoreError:
                raise
            except AqaError as error:
                report.failures.append(Failure(feed.video.video_id, str(error)))
            except Exception as error:
                log.exception("video %s failed", feed.video.video_id)
                report.failures.append(Failure(feed.video.video_id, f"{type(error).__name__}: {error}"))
            finally:
                feed.cancel()
            progress(videos=at + 1, video_id=feed.video.video_id, clock=report.clock)
    report.wall_seconds = time.perf_counter() - start
    return report


@contextmanager
def _feeds(extraction: Extraction, videos: Sequence[Video]) -> Iterator[Iterator[FrameFeed]]:
    """Feeds in order, `workers` of them decoding ahead; none outlives the block."""
    ahead: deque[FrameFeed] = deque()

    def start(video: Video, pool: Executor) -> None:
        ahead.append(FrameFeed(video, extraction.missing(video), pool=pool, reader=extraction.reader))

    def in_order(pool: Executor) -> Iterator[FrameFeed]:
        waiting = iter(videos)
        for video in islice(waiting, extraction.workers):
            start(video, pool)
        while ahead:
            yield ahead.popleft()
            if (following := next(waiting, None)) is not None:
                start(following, pool)

    with ThreadPoolExecutor(extraction.workers, thread_name_prefix="decode") as pool:
        try:
            yield in_order(pool)
        finally:
            for feed in ahead:
                feed.cancel()


def _extract_one(extraction: Extraction, feed: FrameFeed, report: ExtractReport) -> Iterator[float]:
    """Writes one video's records; yields how much of the video is done."""
    items = _timed(iter(feed), report.clock)
    opened = next(items)
    assert isinstance(opened, Opened), "a feed opens with its plan"
    collectors = [
        Collector(stream, feed.video, steps, report.clock)
        for stream, steps in zip(feed.streams, opened.steps, strict=True)
    ]
    for frame in items:
        assert isinstance(frame, PreparedFrame)
        for at, prepared in frame.prepared.items():
            collectors[at].push(frame.frame_index, prepared)
        yield frame.frame_index / opened.num_frames
    for collector in collectors:
        record = collector.record(extraction.dataset, source_digest=opened.source_digest)
        path = extraction.store.write(record)
        report.written.append(_written(record, num_bytes=path.stat().st_size))
    report.num_done += 1
    report.video_seconds += opened.duration_seconds


def _written(record: Record, *, num_bytes: int) -> Written:
    without_person = record.counts["num_steps_without_person"]
    return Written(record.video_id, record.spec.stream, len(record.features), without_person, num_bytes)


def _timed(items: Iterator[Opened | PreparedFrame], clock: Clock) -> Iterator[Opened | PreparedFrame]:
    """The items, the waiting for each of them counted as decoding."""
    while True:
        with clock.phase("decode"):
            item = next(items, None)
        if item is None:
            return
        yield item


class Collector:
    """Gathers one stream's prepared frames into steps, steps into batches, and batches into a record.

    A frame is held as long as a step that is not whole yet needs it: steps may share frames and repeat them.
    """

    def __init__(self, stream: Stream, video: Video, steps: Steps, clock: Clock) -> None:
        self._stream, self._video, self._steps = stream, video, steps
        self._encode = stream.encoder(video, clock)
        self._held: dict[int, np.ndarray] = {}
        self._batch: list[np.ndarray] = []  # the frames of steps [num_encoded, num_whole)
        self._num_whole = 0
        self._num_encoded = 0
        self._features: list[np.ndarray] = []
        self._kept: list[np.ndarray] = []
        self._extras: list[dict[str, np.ndarray]] = []
        self._counts: Counter[str] = Counter()

    def push(self, frame_index: int, prepared: np.ndarray) -> None:
        """Takes the next of the frames that the plan wants, in order."""
        self._held[frame_index] = prepared
        while self._num_whole < len(self._steps) and self._steps.last_frame[self._num_whole] <= frame_index:
            self._batch += [self._held[index] for index in self._steps.frame_index[self._num_whole].tolist()]
            self._num_whole += 1
            self._let_go()
            if self._num_whole - self._num_encoded == self._stream.batch_size:
                self._flush()

    def _let_go(self) -> None:
        """Forgets the frames before those that the remaining steps need: none of them comes again."""
        remaining = self._steps.first_frame[self._num_whole :]
        needed_from = remaining[0] if len(remaining) else np.inf
        while self._held and (earliest := next(iter(self._held))) < needed_from:
            del self._held[earliest]

    def _flush(self) -> None:
        if self._batch:
            encoded = self._encode(self._batch, self._steps.frame_index[self._num_encoded : self._num_whole])
            self._features.append(encoded.features)
            self._kept.append(encoded.kept)
            self._extras.append(encoded.extras)
            self._counts.update({"num_steps_without_person": int((~encoded.kept).sum())})
            self._counts.update(encoded.counts)
        self._batch, self._num_encoded = [], self._num_whole

    def record(self, dataset: str, *, source_digest: str) -> Record:
        """The finished record, steps without a person left out."""
        self._flush()
        assert self._num_encoded == len(self._steps), "the decoder did not deliver every planned frame"
        kept = np.concatenate(self._kept)
        return Record(
            dataset=dataset,
            video_id=self._video.video_id,
            spec=self._stream.spec,
            features=np.concatenate(self._features).astype(self._stream.dtype, copy=False),
            pts_seconds=self._steps.pts_seconds[kept],
            source_digest=source_digest,
            extras={name: np.concatenate([rows[name] for rows in self._extras]) for name in self._extras[0]},
            counts={"num_steps": len(kept), **self._counts, **self._steps.counts},
        )
