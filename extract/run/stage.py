"""Stage 1: videos -> records in the store. One bad video never stops the rest.

Decoding processes prepare frames, the main thread runs the networks, and another thread writes.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

from aqa_pipeline.errors import AqaError, StoreError
from aqa_pipeline.records import Source, SpecValue, Video
from extract.clock import Clock
from extract.decoding.child import Finished
from extract.decoding.decode import Opened, PreparedFrame
from extract.decoding.feeds import Feed, Feeds, Item
from extract.run.collector import Collector
from extract.run.extraction import Extraction, examine
from extract.run.time_left import Amount, VideoSeconds
from extract.run.trim_memory import MemoryTrim
from extract.run.write_behind import Outcome, WriteBehind, Written

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Failure:
    """A video that has no record, and why."""

    video_id: str
    reason: str


@dataclass(frozen=True)
class Extracted:
    """A video whose records are in the store."""

    video_id: str
    written: Sequence[Written]
    video_seconds: float


Ended = Extracted | Failure  # what becomes of a video


@dataclass
class ExtractReport:
    """The results of an extraction. `clock` is where the main thread's time went.

    By video id, `changed` says why records were made again, and `gone` which sources are no longer there.
    """

    written: list[Written] = field(default_factory=list)
    num_done: int = 0
    num_already_there: int = 0
    failures: list[Failure] = field(default_factory=list)
    changed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    gone: Mapping[str, str] = field(default_factory=dict)
    video_seconds: float = 0.0
    wall_seconds: float = 0.0
    clock: Clock = field(default_factory=Clock)

    def add(self, ended: Ended) -> None:
        """Add what became of one video."""
        if isinstance(ended, Failure):
            self.failures.append(ended)
            return
        self.written += ended.written
        self.num_done += 1
        self.video_seconds += ended.video_seconds

    def finish(self, videos: Sequence[Video], *, wall_seconds: float) -> None:
        """Sort the rows in the order of the videos, and count the videos that needed nothing."""
        order = {video.video_id: at for at, video in enumerate(videos)}
        self.written.sort(key=lambda row: order[row.video_id])
        self.failures.sort(key=lambda failure: order[failure.video_id])
        self.num_already_there = len(videos) - self.num_done - len(self.failures)
        self.wall_seconds = wall_seconds


class Progress(Protocol):
    """Shows how far an extraction is: `amount` in seconds of video, `videos` as a number with a fraction."""

    def __call__(self, *, videos: float, video_id: str, clock: Clock, amount: Amount) -> None:
        """Show how many videos are done; a part of a video counts as its share."""
        ...


def extract(extraction: Extraction, videos: Sequence[Video], *, progress: Progress) -> ExtractReport:
    """Write the missing records. The report names each video that failed; the others are extracted.

    Raise `StoreError` if the store itself refuses (a full disk); everything written before stays.
    """
    start, report = time.perf_counter(), ExtractReport()
    extraction.store.remove_leftovers()
    found = examine(extraction, [stream.spec for stream in extraction.streams], videos)
    report.changed, report.gone = found.changed, found.gone
    report.clock = extract_portion(extraction, found.todo, progress=progress, ended=report.add)
    report.finish(videos, wall_seconds=time.perf_counter() - start)
    return report


def extract_portion(
    extraction: Extraction, videos: Sequence[Video], *, progress: Progress, ended: Callable[[Ended], None]
) -> Clock:
    """Extract what is missing of the videos, and call `ended` for each once its records are written.

    `ended` is not called for a video that another run has extracted meanwhile.
    Raise `StoreError` as `extract` does.
    """
    trim_memory = MemoryTrim()
    feeds = Feeds(
        videos,
        extraction.missing,
        reader=extraction.reader,
        workers=extraction.workers,
        patience=extraction.patience,
    )
    with WriteBehind(extraction.store) as writer, feeds:
        run = _Run(extraction, writer, ended, VideoSeconds(videos))
        for feed, item in _timed(feeds, run.clock):
            if not run.take(feed, item):
                feeds.drop(feed)
            video_id, amount = feed.video.video_id, run.amount
            progress(videos=run.num_videos, video_id=video_id, clock=run.clock, amount=amount)
            trim_memory()
        writer.settle()
    return run.clock


def _timed(feeds: Feeds, clock: Clock) -> Iterator[tuple[Feed, Item]]:
    """Yield what the feeds give. The clock counts the time of waiting as decoding."""
    items = iter(feeds)
    while True:
        with clock.phase("decode"):
            following = next(items, None)
        if following is None:
            return
        yield following


@dataclass(eq=False)
class _OneVideo:
    """A video on its way through the networks; `share`, 0 to 1, of it has passed."""

    opened: Opened
    sources: list[Source]
    collectors: list[Collector]
    share: float = 0.0
    picture: Mapping[str, SpecValue] = field(default_factory=dict)


class _Run:
    """The main thread's part: it turns frames into features, and reports the result of each video."""

    def __init__(
        self,
        extraction: Extraction,
        writer: WriteBehind,
        ended: Callable[[Ended], None],
        seconds: VideoSeconds,
    ) -> None:
        self.clock = Clock()
        self._seconds = seconds
        self._extraction, self._writer, self._ended = extraction, writer, ended
        self._under_way: dict[Feed, _OneVideo] = {}
        self._num_ended = 0

    @property
    def num_videos(self) -> float:
        """The number of videos that passed the networks or failed; a part of a video counts as its share."""
        return self._num_ended + sum(video.share for video in self._under_way.values())

    @property
    def amount(self) -> Amount:
        """The seconds of video that are done, and of all videos."""
        shares = {feed.video.video_id: video.share for feed, video in self._under_way.items()}
        return self._seconds.amount(shares)

    def take(self, feed: Feed, item: Item) -> bool:
        """Take what a feed gives next. Return True if more of that video is wanted."""
        try:
            more_wanted = self._take(feed, item)
        except Exception as error:
            self._fail(feed.video, error)
            more_wanted = False
        if not more_wanted:
            self._under_way.pop(feed, None)
            self._seconds.end(feed.video.video_id)
            self._num_ended += 1
        return more_wanted

    def _take(self, feed: Feed, item: Item) -> bool:
        if isinstance(item, Exception):
            raise item
        if isinstance(item, Opened):
            self._seconds.know(feed.video.video_id, item.duration_seconds)
            self._under_way[feed] = self._begin(feed, item)
        elif isinstance(item, PreparedFrame):
            _push(self._under_way[feed], item)
        else:
            self._finish(feed.video, self._under_way[feed])
        return not isinstance(item, Finished)

    def _begin(self, feed: Feed, opened: Opened) -> _OneVideo:
        plans = zip(feed.streams, opened.steps, strict=True)
        sources = [
            replace(opened.source, boxes_digest=self._extraction.boxes_digest(feed.video, stream.spec))
            for stream in feed.streams
        ]
        collectors = [
            Collector(stream, feed.video, opened.footage, steps, self.clock) for stream, steps in plans
        ]
        return _OneVideo(opened, sources, collectors)

    def _finish(self, video: Video, done: _OneVideo) -> None:
        made = zip(done.collectors, done.sources, strict=True)
        records = [
            each.record(self._extraction.dataset, source=source, picture=done.picture)
            for each, source in made
        ]
        seconds = done.opened.duration_seconds
        self._writer.put(records, when_done=partial(self._note, video, seconds))

    def _note(self, video: Video, video_seconds: float, outcome: Outcome) -> None:
        """Report a video as extracted once its records are written, else as failed."""
        try:
            with self.clock.phase("write"):
                written = outcome()
        except Exception as error:
            self._fail(video, error)
        else:
            self._ended(Extracted(video.video_id, written, video_seconds))

    def _fail(self, video: Video, error: Exception) -> None:
        if isinstance(error, StoreError):
            raise error
        if not isinstance(error, AqaError):
            log.error("video %s failed", video.video_id, exc_info=error)
        reason = str(error) if isinstance(error, AqaError) else f"{type(error).__name__}: {error}"
        self._ended(Failure(video.video_id, reason))


def _push(video: _OneVideo, frame: PreparedFrame) -> None:
    for at, prepared in frame.prepared.items():
        video.collectors[at].push(frame.frame_index, prepared)
    video.share = frame.frame_index / video.opened.num_frames
    video.picture = frame.picture
