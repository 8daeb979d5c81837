"""One pass over a video feeds every stream: plan, decode, prepare. Knows no network and no process."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from aqa_pipeline.errors import VideoError
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Source, SpecValue, Video
from aqa_pipeline.video import Disk, ReaderName, open_video, source_of
from extract.streams.stream import Intake, Steps

OF_THIS_RUN = Disk()  # a decoding process ends with its run


@dataclass(frozen=True)
class Job:
    """One video to decode, and what the streams take of it."""

    video: Video
    intakes: tuple[Intake, ...]
    reader: ReaderName


@dataclass(frozen=True, eq=False)
class Opened:
    """First word about a video: what every stream will make of it, what it shows, and what lies there."""

    steps: list[Steps]
    footage: Footage
    source: Source
    num_frames: int
    duration_seconds: float


@dataclass(frozen=True, eq=False)
class PreparedFrame:
    """One decoded frame: for each stream that wants it (by position), what it keeps of it.

    `picture` says how the frames up to this one were made plain, as in `Record`.
    """

    frame_index: int
    prepared: dict[int, np.ndarray]
    picture: Mapping[str, SpecValue]

    @property
    def num_bytes(self) -> int:
        return sum(kept.nbytes for kept in self.prepared.values())


def decode(job: Job) -> Iterator[Opened | PreparedFrame]:
    """`Opened`, then the wanted frames in order. Raises `VideoError`."""
    # Before any picture is read: what changes later is seen to be newer.
    source = source_of(job.video, OF_THIS_RUN)
    with open_video(job.video, reader=job.reader) as opened:
        if opened.damage:  # known from the packets, before any network has run in vain
            raise VideoError(opened.damage)
        timeline = opened.timeline
        steps = [intake.plan(timeline) for intake in job.intakes]
        duration = float(timeline.duration_seconds)
        yield Opened(steps, opened.footage, source, timeline.num_frames, duration)
        wanted = [np.unique(plan.frame_index) for plan in steps]
        members = [frozenset(index.tolist()) for index in wanted]
        for index, frame in opened.frames(np.unique(np.concatenate(wanted)).tolist()):
            users = [at for at, member in enumerate(members) if index in member]
            prepared = {at: job.intakes[at].prepare(frame) for at in users}
            yield PreparedFrame(index, prepared, dict(opened.picture))
