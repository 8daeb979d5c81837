"""Decode a video once for all streams: plan the steps, decode the wanted frames, prepare them.

This module knows neither networks nor processes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from aqa_pipeline.errors import VideoError
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Source, SpecValue, Video
from aqa_pipeline.video import Disk, ReaderName, open_video, source_of
from extract.streams.stream import Intake, Steps

OF_THIS_RUN = Disk()  # remembers digests for as long as the decoding process lives: one run


@dataclass(frozen=True)
class Job:
    """One video to decode, and which frames each stream takes, in which form."""

    video: Video
    intakes: tuple[Intake, ...]
    reader: ReaderName


@dataclass(frozen=True, eq=False)
class Opened:
    """The first message about a video: each stream's steps, the video's footage, and its source on disk."""

    steps: list[Steps]
    footage: Footage
    source: Source
    num_frames: int
    duration_seconds: float


@dataclass(frozen=True, eq=False)
class PreparedFrame:
    """One decoded frame, prepared for each stream that wants it (by the stream's position in the job).

    `picture` says how the frames up to this one were converted to plain RGB, as in `Record`.
    """

    frame_index: int
    prepared: dict[int, np.ndarray]
    picture: Mapping[str, SpecValue]

    @property
    def num_bytes(self) -> int:
        """The bytes of all prepared arrays."""
        return sum(kept.nbytes for kept in self.prepared.values())


def decode(job: Job) -> Iterator[Opened | PreparedFrame]:
    """Yield `Opened`, then the wanted frames in order of time. Raise `VideoError` for an unreadable video."""
    # Before any frame is read: a later change of the file then has a later time.
    source = source_of(job.video, OF_THIS_RUN)
    with open_video(job.video, reader=job.reader) as opened:
        if opened.damage:  # found by the packet scan, before any network has run
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
