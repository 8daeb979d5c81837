"""Where the athlete was, from boxes and from tubes."""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from aqa_pipeline.records import Record, Source, StreamSpec
from aqa_pipeline.video import Timeline
from heads.outlines import outlines_of

OPENED = SimpleNamespace(
    width=200, height=100, timeline=Timeline(pts=np.arange(30), time_base=Fraction(1, 10), end=30)
)
SQUARE = ((0.1, 0.2), (0.3, 0.2), (0.3, 0.6), (0.1, 0.6))


def record(steps: int, seconds: float, **extras: np.ndarray) -> Record:
    starts = seconds * np.arange(steps)
    spec = StreamSpec("any", {"backbone": "toy"})
    pts_seconds = np.stack([starts, starts + seconds], axis=1)
    return Record(
        "d", "v", spec, np.zeros((steps, 3), np.float32), pts_seconds, Source("digest"), extras=extras
    )


def test_a_box_holds_as_long_as_its_crop() -> None:
    boxes = np.array([[20, 20, 60, 60, 0.9], [40, 20, 80, 60, 0.8]], np.float32)
    first, second = outlines_of({"crops": record(2, 1.0, boxes=boxes)}, OPENED)
    assert (first.start, first.stop, second.start) == (0, 1, 1)
    assert np.allclose(first.corners, SQUARE)


def test_a_quad_holds_until_the_next_frame_and_the_lost_athlete_has_none() -> None:
    quad = np.array(SQUARE, np.float32) * [200, 100]
    quads = np.stack([quad, np.full((4, 2), np.nan), quad, quad]).reshape(2, 1, 2, 4, 2).astype(np.float32)
    tube = record(2, 1.0, frame_quads=quads, frame_index=np.array([[0, 2], [4, 20]]))
    first, second, third = outlines_of({"crops": record(0, 1.0), "tubes": tube}, OPENED)
    assert (first.start, first.stop) == pytest.approx((0.0, 0.2))
    assert (second.start, second.stop) == pytest.approx((0.4, 0.9))  # half a second, not until frame 20
    assert (third.start, third.stop) == pytest.approx((2.0, 2.5))
    assert np.allclose(first.corners, SQUARE)


def test_streams_of_whole_frames_have_no_outline() -> None:
    assert outlines_of({"frames": record(2, 1.0)}, OPENED) == []
