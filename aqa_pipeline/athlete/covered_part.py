"""Which part of a performance a stream looks at, and the option of `aqa extract` that shows it the rest."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Record, StreamSpec

# Streams that leave a part of the time out by design. The others look at all of it.
OPTIONS = {"segments": "--rest padded", "clips": "--clips whole", "tubes": "--last-frames {num_frames}"}
SAME_MOMENT = 1e-6  # seconds


@dataclass(frozen=True)
class LookedAt:
    """A part of a performance of `num_frames` frames, [start, stop) seconds of `duration`.

    `option` of `aqa extract` makes the stream look at all of it.
    """

    start: float
    stop: float
    duration: float
    num_frames: int
    option: str

    def __str__(self) -> str:
        return f"{self.start:.1f}-{self.stop:.1f} s of {self.duration:.1f} s"


def looked_at(spec: StreamSpec, pts_seconds: np.ndarray, footage: Footage | None) -> LookedAt | None:
    """Return what the steps of a stream look at; None for all of it, and where nobody knows how long that is.

    What is missing must be more than half a sample: sampling by time rounds by as much.
    """
    if spec.stream not in OPTIONS or footage is None or not len(pts_seconds):
        return None
    rate_fps = spec.facts.get("rate_fps")
    tolerance = 0.5 / float(rate_fps) if rate_fps else 0.0
    start, stop = float(pts_seconds[0, 0]), float(pts_seconds[:, 1].max())
    missed = max(start, footage.duration_seconds - stop)
    if missed <= tolerance + SAME_MOMENT:
        return None
    num_frames, seconds = footage.stop_frame - footage.start_frame, footage.duration_seconds
    option = OPTIONS[spec.stream].format(num_frames=num_frames)
    return LookedAt(start, min(stop, seconds), seconds, num_frames, option)


def parts_looked_at(records: Mapping[str, Record]) -> Iterator[tuple[str, LookedAt]]:
    """Yield each stream that looks at a part of the video only, and the part."""
    for stream, record in records.items():
        part = looked_at(record.spec, record.pts_seconds, record.footage)
        if part is not None:
            yield stream, part
