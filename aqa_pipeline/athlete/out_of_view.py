"""In how many frames the athlete is outside the part of the frame that a network sees."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from aqa_pipeline.athlete.tube_masks import coverage
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Box, Record

MOSTLY = 0.5  # of what the frame shows of the athlete
OPTION = "--framing whole"


@dataclass(frozen=True)
class Outside:
    """Of the frames in which a stream's athlete was found, those that show the network less than half.

    `option` of `aqa extract` shows the network the whole frame; empty where it sees that already.
    """

    num_outside: int
    num_frames: int
    option: str = OPTION

    def __str__(self) -> str:
        return f"in {self.num_outside} of {self.num_frames} frames"


def outside_of(records: Mapping[str, Record]) -> Iterator[tuple[str, Outside]]:
    """Yield each stream of a video whose athlete is outside the network's picture in some frame.

    Where the athlete is, a tube tells itself; for other streams the crops' boxes do, else the tubes' quads.
    """
    for stream, record in records.items():
        if record.field_of_view is None or record.footage is None:
            continue
        outside = outside_in(_athlete(record, records), record.field_of_view, record.footage)
        if outside is not None:
            yield stream, outside


def outside_in(quads: np.ndarray, field_of_view: Box, footage: Footage) -> Outside | None:
    """Count the athlete's quads (n, 4, 2), one per frame, that are mostly out of sight; None for none."""
    size = (footage.width, footage.height)
    num_outside = int(is_outside(quads, field_of_view, frame_size=size).sum())
    if not num_outside:
        return None
    return Outside(num_outside, len(quads), "" if field_of_view == (0, 0, *size) else OPTION)


def is_outside(quads: np.ndarray, field_of_view: Box, *, frame_size: tuple[int, int]) -> np.ndarray:
    """Return for each of the quads (n, 4, 2), in pixels of the frame, whether it is mostly out of sight.

    Less than half of what the frame shows of it lies in the field of view. NaN is no quad: False.
    """
    shown = _area_within(quads, (0, 0, *frame_size))
    seen = _area_within(quads, field_of_view)
    known = ~np.isnan(quads).any(axis=(1, 2))
    outside: np.ndarray = known & ((seen < MOSTLY * shown) | (shown == 0))
    return outside


def _area_within(quads: np.ndarray, box: Box) -> np.ndarray:
    """(n,) the area of each quad that lies in the box."""
    start, sides = np.array(box[:2]), np.array(box[2:]) - np.array(box[:2])
    shares = coverage((np.asarray(quads, np.float64) - start) / sides, picture_size=1, grid=1)
    return shares[:, 0, 0] * sides.prod()


def _athlete(record: Record, records: Mapping[str, Record]) -> np.ndarray:
    """Where the athlete was found in the frames that the stream looks at, (n, 4, 2)."""
    if "frame_quads" in record.extras:
        return _found(record)[1]
    for name in ("boxes", "frame_quads"):
        for other in records.values():
            if name in other.extras and len(other.features):
                return _within(*_found(other), record.extras.get("frame_index"))
    return np.empty((0, 4, 2))


def _found(record: Record) -> tuple[np.ndarray, np.ndarray]:
    index = np.asarray(record.extras["frame_index"]).reshape(-1)
    if "frame_quads" in record.extras:
        quads = record.extras["frame_quads"][:, 0].reshape(-1, 4, 2)
    else:
        quads = record.extras["boxes"][:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)
    frames, first = np.unique(index, return_index=True)
    known = ~np.isnan(quads[first]).any(axis=(1, 2))
    return frames[known], quads[first][known]


def _within(frames: np.ndarray, quads: np.ndarray, looked: np.ndarray | None) -> np.ndarray:
    """The quads between the first and the last frame that a stream looks at."""
    if looked is None or not looked.size:
        return quads
    return quads[(frames >= looked.min()) & (frames <= looked.max())]
