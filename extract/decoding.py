"""One pass over a video feeds every stream: a thread decodes and prepares, a bounded queue hands over."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from queue import Empty, Full, Queue

import numpy as np

from aqa_pipeline.errors import VideoError
from aqa_pipeline.records import Video
from aqa_pipeline.video import ReaderName, open_video, source_digest
from extract.streams.stream import Steps, Stream

QUEUE_FRAMES = 16  # decoded ahead of the network: 16 frames of 1080p are 100 MB
POLL_SECONDS = 0.1


@dataclass(frozen=True, eq=False)
class Opened:
    """First word of a feed: what every stream will make of the video, and the digest of its file."""

    steps: list[Steps]
    source_digest: str
    num_frames: int
    duration_seconds: float


@dataclass(frozen=True, eq=False)
class PreparedFrame:
    """One decoded frame: for each stream that wants it (by position), what it keeps of it."""

    frame_index: int
    prepared: dict[int, np.ndarray]


class FrameFeed:
    """Decodes `video` in a thread of `pool` from now on; iterate for `Opened`, then the frames in order.

    An error of the decoder is raised in the iterating thread. `cancel` frees the thread early.
    """

    def __init__(
        self, video: Video, streams: Sequence[Stream], *, pool: Executor, reader: ReaderName
    ) -> None:
        self.video, self.streams, self._reader = video, streams, reader
        self._queue: Queue[Opened | PreparedFrame | BaseException | None] = Queue(QUEUE_FRAMES)
        self._cancelled = threading.Event()
        pool.submit(self._run)

    def __iter__(self) -> Iterator[Opened | PreparedFrame]:
        while (item := self._take()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    def cancel(self) -> None:
        self._cancelled.set()

    def _take(self) -> Opened | PreparedFrame | BaseException | None:
        while not self._cancelled.is_set():
            try:
                return self._queue.get(timeout=POLL_SECONDS)
            except Empty:
                continue
        return None

    def _run(self) -> None:
        try:
            for item in self._decode():
                self._put(item)
                if self._cancelled.is_set():
                    return
            self._put(None)
        except BaseException as error:  # handed to the main thread, which names the video
            self._put(error)

    def _put(self, item: Opened | PreparedFrame | BaseException | None) -> None:
        while not self._cancelled.is_set():
            try:
                return self._queue.put(item, timeout=POLL_SECONDS)
            except Full:
                continue

    def _decode(self) -> Iterator[Opened | PreparedFrame]:
        with open_video(self.video, reader=self._reader) as opened:
            if opened.damage:  # known from the packets, before any network has run in vain
                raise VideoError(opened.damage)
            timeline = opened.timeline
            steps = [stream.plan(timeline) for stream in self.streams]
            yield Opened(steps, digest_of(self.video), timeline.num_frames, float(timeline.duration_seconds))
            wanted = [np.unique(plan.frame_index) for plan in steps]
            members = [frozenset(index.tolist()) for index in wanted]
            for index, frame in opened.frames(np.unique(np.concatenate(wanted)).tolist()):
                users = [at for at, member in enumerate(members) if index in member]
                yield PreparedFrame(index, {at: self.streams[at].prepare(frame) for at in users})


def digest_of(video: Video) -> str:
    """SHA-256 of the source; read once per file, for a broadcast may hold many performances."""
    facts = video.path.stat()
    return _digest_of_file(video.path, facts.st_size, facts.st_mtime_ns)


@lru_cache(maxsize=1024)
def _digest_of_file(path: Path, size: int, mtime_ns: int) -> str:
    return source_digest(Video(video_id="any", path=path))
