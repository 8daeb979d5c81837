"""Count the frames in which the athlete is outside the part of the frame that a network sees."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from aqa_pipeline.athlete.quads import reference_quads
from aqa_pipeline.athlete.tube_masks import coverage
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Box, Record

MOSTLY = 0.5  # share of the athlete's visible area
OPTION = "--framing whole"


@dataclass(frozen=True)
class OutOfView:
    """How often the network sees less than half of the athlete.

    `num_frames` counts the frames in which the athlete was found, `num_outside` those of them in which the
    network sees less than half. With `option`, `aqa extract` shows the network the whole frame; `option` is
    "" if the network sees the whole frame already.
    """

    num_outside: int
    num_frames: int
    option: str = OPTION

    def __str__(self) -> str:
        return f"in {self.num_outside} of {self.num_frames} frames"


def streams_out_of_view(records: Mapping[str, Record]) -> Iterator[tuple[str, OutOfView]]:
    """Yield each stream of a video whose athlete is out of view in at least one frame.

    A record of a tracked stream holds the athlete's quads. For other streams the boxes of the crops say where
    the athlete is, or else the quads of the tracked stream.
    """
    for stream, record in records.items():
        field_of_view, footage = record.pictures.field_of_view, record.pictures.footage
        if field_of_view is None or footage is None:
            continue
        outside = count_out_of_view(_athlete(record, records), field_of_view, footage)
        if outside is not None:
            yield stream, outside


def count_out_of_view(quads: np.ndarray, field_of_view: Box, footage: Footage) -> OutOfView | None:
    """Count the athlete's quads, (frame, 4, 2), that are mostly out of view; None if there is none."""
    size = (footage.width, footage.height)
    num_outside = int(is_out_of_view(quads, field_of_view, frame_size=size).sum())
    if not num_outside:
        return None
    return OutOfView(num_outside, len(quads), "" if field_of_view == (0, 0, *size) else OPTION)


def is_out_of_view(quads: np.ndarray, field_of_view: Box, *, frame_size: tuple[int, int]) -> np.ndarray:
    """Return, (frame,), whether each quad of (frame, 4, 2) is mostly out of view.

    A quad is mostly out of view if less than half of its area within the frame lies in the field of view.
    Units are pixels of the frame. A quad of NaN gives False.
    """
    shown = _area_within(quads, (0, 0, *frame_size))
    seen = _area_within(quads, field_of_view)
    known = ~np.isnan(quads).any(axis=(1, 2))
    outside: np.ndarray = known & ((seen < MOSTLY * shown) | (shown == 0))
    return outside


def _area_within(quads: np.ndarray, box: Box) -> np.ndarray:
    """Return the area of each quad within the box, (frame,)."""
    start, sides = np.array(box[:2]), np.array(box[2:]) - np.array(box[:2])
    shares = coverage((np.asarray(quads, np.float64) - start) / sides, picture_size=1, grid=1)
    return shares[:, 0, 0] * sides.prod()


def _athlete(record: Record, records: Mapping[str, Record]) -> np.ndarray:
    """Return the athlete's quads, (frame, 4, 2), in the frames that the stream covers."""
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
        quads = reference_quads(record)
    else:
        quads = record.extras["boxes"][:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)
    frames, first = np.unique(index, return_index=True)
    known = ~np.isnan(quads[first]).any(axis=(1, 2))
    return frames[known], quads[first][known]


def _within(frames: np.ndarray, quads: np.ndarray, covered: np.ndarray | None) -> np.ndarray:
    """Return the quads between the first and the last frame that a stream covers."""
    if covered is None or not covered.size:
        return quads
    return quads[(frames >= covered.min()) & (frames <= covered.max())]
