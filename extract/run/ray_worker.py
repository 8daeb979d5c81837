"""A worker on a node of a cluster: it loads networks once, then extracts portions of videos."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread

from aqa_pipeline.cluster import Done, Note, Shared
from aqa_pipeline.records import StreamSpec, Video
from extract.clock import Clock
from extract.run.engine import Order
from extract.run.extraction import Extraction
from extract.run.stage import Ended, extract_portion
from extract.run.time_left import Amount

TELL_SECONDS = 0.5


@dataclass(frozen=True)
class Made:
    """The specs of the streams that a worker makes."""

    specs: tuple[StreamSpec, ...]

    def differences(self, other: "Made") -> list[str]:
        """Return one line per fact that differs."""
        return [
            f"{mine.stream} {line}"
            for mine, theirs in zip(self.specs, other.specs, strict=True)
            for line in mine.differences(theirs)
        ]


@dataclass(frozen=True)
class Underway:
    """The work of a worker that is under way.

    `share` counts the done parts of unfinished videos, in videos. `clock` is where the time went so far.
    """

    share: float
    video_id: str
    clock: Clock


class VideoWorker:
    """Lives in a Ray actor. Its paths start from the caller's folder."""

    def __init__(self, order: Order, shared: Shared) -> None:
        shared.enter()
        self._extraction = order.build()
        self._clock = Clock()
        self.facts = Made(tuple(stream.spec for stream in self._extraction.streams))

    def work(self, items: Sequence[tuple[int, Video]]) -> Iterator[Done | Note]:
        """Extract the videos and yield what became of each, as soon as it is known."""
        said: SimpleQueue[Done | Note | BaseException | None] = SimpleQueue()
        portion = _Portion(items, self._clock, said.put)
        thread = Thread(target=_run, args=(portion, self._extraction, said.put), name="extract", daemon=True)
        thread.start()
        while (word := said.get()) is not None:
            if isinstance(word, BaseException):
                raise word
            yield word
        self._clock = portion.clock


def _run(portion: "_Portion", extraction: Extraction, say: Callable[[BaseException | None], None]) -> None:
    """Extract in a thread that reports through `say`: an actor's answers come from a generator."""
    try:
        portion.extract(extraction)
    except BaseException as error:  # raised again by the generator
        say(error)
    else:
        say(None)


class _Portion:
    """One portion under way. `clock` runs on from the portions before."""

    def __init__(
        self, items: Sequence[tuple[int, Video]], before: Clock, say: Callable[[Done | Note], None]
    ) -> None:
        self._videos = [video for _, video in items]
        self._open = {video.video_id: index for index, video in items}
        self._before, self.clock, self._say = before, before, say
        self._last_note = 0.0

    def extract(self, extraction: Extraction) -> None:
        spent = extract_portion(extraction, self._videos, progress=self._progress, ended=self._ended)
        self.clock = self._before.plus(spent)
        self._tell(0.0, self._videos[-1].video_id)
        for index in self._open.values():  # somebody else has made its records meanwhile
            self._say(Done(index, None))

    def _progress(self, *, videos: float, video_id: str, clock: Clock, amount: Amount) -> None:
        self.clock = self._before.plus(clock)
        if time.monotonic() - self._last_note > TELL_SECONDS:
            self._tell(videos - (len(self._videos) - len(self._open)), video_id)

    def _tell(self, share: float, video_id: str) -> None:
        self._last_note = time.monotonic()
        self._say(Note(Underway(max(0.0, share), video_id, self.clock)))

    def _ended(self, ended: Ended) -> None:
        self._say(Done(self._open.pop(ended.video_id), ended))
