"""One pass over a video feeds every stream: plan, decode, prepare. Knows no network and no process."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from aqa_pipeline.errors import VideoError
from aqa_pipeline.records import Video
from aqa_pipeline.video import ReaderName, open_video, source_digest
from extract.streams.stream import Intake, Steps


@dataclass(frozen=True)
class Job:
    """One video to decode, and what the streams take of it."""

    video: Video
    intakes: tuple[Intake, ...]
    reader: ReaderName


@dataclass(frozen=True, eq=False)
class Opened:
    """First word about a video: what every stream will make of it, and the digest of its file."""

    steps: list[Steps]
    source_digest: str
    num_frames: int
    duration_seconds: float


@dataclass(frozen=True, eq=False)
class PreparedFrame:
    """One decoded frame: for each stream that wants it (by position), what it keeps of it."""

    frame_index: int
    prepared: dict[int, np.ndarray]

    @property
    def num_bytes(self) -> int:
        return sum(kept.nbytes for kept in self.prepared.values())


def decode(job: Job) -> Iterator[Opened | PreparedFrame]:
    """`Opened`, then the wanted frames in order. Raises `VideoError`."""
    with open_video(job.video, reader=job.reader) as opened:
        if opened.damage:  # known from the packets, before any network has run in vain
            raise VideoError(opened.damage)
        timeline = opened.timeline
        steps = [intake.plan(timeline) for intake in job.intakes]
        yield Opened(steps, digest_of(job.video), timeline.num_frames, float(timeline.duration_seconds))
        wanted = [np.unique(plan.frame_index) for plan in steps]
        members = [frozenset(index.tolist()) for index in wanted]
        for index, frame in opened.frames(np.unique(np.concatenate(wanted)).tolist()):
            users = [at for at, member in enumerate(members) if index in member]
            yield PreparedFrame(index, {at: job.intakes[at].prepare(frame) for at in users})


def digest_of(video: Video) -> str:
    """SHA-256 of the source; read once per file, for a broadcast may hold many performances."""
    facts = video.path.stat()
    return _digest_of_file(video.path, facts.st_size, facts.st_mtime_ns)


@lru_cache(maxsize=1024)
def _digest_of_file(path: Path, size: int, mtime_ns: int) -> str:
    return source_digest(Video(video_id="any", path=path))
