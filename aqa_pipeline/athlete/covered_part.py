"""Find streams that leave out a part of the performance, and the option that makes them cover all of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Record, StreamSpec
from aqa_pipeline.spec_facts import typed_facts

# The option of `aqa extract` for each stream that may leave out a part by design. Other streams cover all.
OPTIONS = {
    "segments": "--rest padded",
    "clips": "--clips whole",
    "tubes": "--last-frames {num_frames}",
    "pixels": "--last-frames {num_frames}",
}
SAME_MOMENT = 1e-6  # seconds


@dataclass(frozen=True)
class CoveredPart:
    """The part [start, stop) of a performance that a stream covers, in seconds.

    `duration` (seconds) and `num_frames` are those of the whole performance. With `option`, `aqa extract`
    covers the whole performance.
    """

    start: float
    stop: float
    duration: float
    num_frames: int
    option: str

    def __str__(self) -> str:
        return f"{self.start:.1f}-{self.stop:.1f} s of {self.duration:.1f} s"


def covered_part(spec: StreamSpec, pts_seconds: np.ndarray, footage: Footage | None) -> CoveredPart | None:
    """Return the part that the steps of a stream cover; None if they cover all, or if `footage` is unknown.

    `pts_seconds` is (time, 2). A gap of at most half a sample is ignored, because sampling by time rounds by
    up to half a sample.
    """
    if spec.stream not in OPTIONS or footage is None or not len(pts_seconds):
        return None
    rate_fps = typed_facts(spec).rate_fps
    tolerance = 0.5 / rate_fps if rate_fps else 0.0
    start, stop = float(pts_seconds[0, 0]), float(pts_seconds[:, 1].max())
    missed = max(start, footage.duration_seconds - stop)
    if missed <= tolerance + SAME_MOMENT:
        return None
    num_frames, seconds = footage.stop_frame - footage.start_frame, footage.duration_seconds
    option = OPTIONS[spec.stream].format(num_frames=num_frames)
    return CoveredPart(start, min(stop, seconds), seconds, num_frames, option)


def covered_parts(records: Mapping[str, Record]) -> Iterator[tuple[str, CoveredPart]]:
    """Yield each stream that covers only a part of the performance, and that part."""
    for stream, record in records.items():
        part = covered_part(record.spec, record.pts_seconds, record.pictures.footage)
        if part is not None:
            yield stream, part
