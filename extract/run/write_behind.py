"""Write records in a thread of their own, while the next video is in the network."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from aqa_pipeline.athlete.covered_part import CoveredPart, covered_part
from aqa_pipeline.athlete.events import describe_tracking
from aqa_pipeline.athlete.out_of_view import OutOfView, streams_out_of_view
from aqa_pipeline.records import Record, SpecValue
from aqa_pipeline.store import Store

MAX_BEHIND = 4  # videos


@dataclass(frozen=True)
class Written:
    """A new record, in one line.

    `athlete` describes losses and changes of the athlete, `picture` how unusual pictures were read. `looked`
    is the part of the video that the stream covers, None for all of it. `outside` describes frames whose
    athlete the network does not see. `num_repeated` counts the frames that pad the stream. `num_planned`
    counts the steps with those that the stream leaves out for want of a person; None if it is not known.
    """

    video_id: str
    stream: str
    num_steps: int
    num_steps_without_person: int
    num_bytes: int
    athlete: str | None = None
    picture: Mapping[str, SpecValue] = field(default_factory=dict)
    looked: CoveredPart | None = None
    outside: OutOfView | None = None
    num_repeated: int = 0
    num_planned: int | None = None


# Gives what was written of one video, or raises what the store raised.
Outcome = Callable[[], list[Written]]
WhenDone = Callable[[Outcome], None]


class WriteBehind:
    """Writes records in one thread, in order, at most `MAX_BEHIND` videos behind.

    The result of a video goes to its `when_done`, in the thread that calls `put` and `settle`.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="write")
        self._due: deque[tuple[Future[list[Written]], WhenDone]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for the record that is being written, and drop those that were not begun."""
        self._pool.shutdown(cancel_futures=True)

    def put(self, records: Sequence[Record], *, when_done: WhenDone) -> None:
        """Queue the records of one video; wait if the disk is far behind."""
        self._due.append((self._pool.submit(self._write, records), when_done))
        self.settle(at_most=MAX_BEHIND)

    def settle(self, *, at_most: int = 0) -> None:
        """Report the videos that are done, and wait until at most so many are left."""
        while self._due and (len(self._due) > at_most or self._due[0][0].done()):
            future, when_done = self._due.popleft()
            when_done(future.result)

    def _write(self, records: Sequence[Record]) -> list[Written]:
        outside = dict(streams_out_of_view({record.spec.stream: record for record in records}))
        return [
            _written(record, self._store.write(record), outside.get(record.spec.stream)) for record in records
        ]


def _written(record: Record, path: Path, outside: OutOfView | None) -> Written:
    without_person = record.counts["num_steps_without_person"]
    num_steps = len(record.features)
    return Written(
        record.video_id,
        record.spec.stream,
        num_steps,
        without_person,
        path.stat().st_size,
        describe_tracking(record),
        record.pictures.conversions,
        covered_part(record.spec, record.pts_seconds, record.pictures.footage),
        outside,
        record.counts.get("num_repeated_frames", 0),
        record.counts.get("num_steps"),
    )
