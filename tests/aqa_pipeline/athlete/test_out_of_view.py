"""Frames whose athlete a network does not see, against boxes that are worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqa_pipeline.athlete.out_of_view import OutOfView, is_out_of_view, streams_out_of_view
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Pictures, Record, Source, StreamSpec

FOOTAGE = Footage(640, 360, 100, 0, 100, 25.0)
CENTER = (140.0, 0.0, 500.0, 360.0)


def quad(x1: float, y1: float, x2: float, y2: float) -> list[list[float]]:
    return [[x1, y1], [x2, y1], [x2, y2], [x1, y2]]


def record(stream: str, *, field_of_view=None, footage=FOOTAGE, **extras) -> Record:
    number = len(extras["frame_index"])
    return Record(
        "d",
        "v",
        StreamSpec(stream, {}),
        np.zeros((number, 3), np.float32),
        np.stack([np.arange(number), np.arange(number) + 1.0], axis=1),
        Source("digest"),
        extras={name: np.array(rows) for name, rows in extras.items()},
        pictures=Pictures(footage, field_of_view),
    )


@pytest.mark.parametrize(
    ("box", "outside"),
    [
        ((200, 100, 300, 300), False),
        ((0, 100, 100, 300), True),
        ((91, 100, 191, 300), False),  # 51 of 100 columns are seen
        ((89, 100, 189, 300), True),  # 49 of 100
        ((-100, 100, 100, 300), True),  # of what the frame shows, columns 0 to 100, nothing is seen
        ((-100, 100, 290, 300), False),  # of columns 0 to 290, 150 are seen
        ((700, 100, 800, 300), True),  # beyond the frame: nobody sees that
        ((0, 0, 640, 360), False),
    ],
)
def test_less_than_half_of_what_the_frame_shows_is_out_of_sight(box, outside) -> None:
    assert is_out_of_view(np.array([quad(*box)]), CENTER, frame_size=(640, 360)).tolist() == [outside]


@given(
    st.lists(st.integers(0, 60), min_size=4, max_size=4), st.tuples(st.integers(0, 20), st.integers(21, 40))
)
def test_areas_are_those_of_counted_pixels(sides, view) -> None:
    x1, x2 = sorted(sides[:2])
    y1, y2 = sorted(sides[2:])
    canvas = np.zeros((40, 60), bool)
    canvas[y1:y2, x1:x2] = True
    shown, seen = canvas.sum(), canvas[:, view[0] : view[1]].sum()
    expected = bool(shown == 0 or 2 * seen < shown)
    outside = is_out_of_view(np.array([quad(x1, y1, x2, y2)]), (view[0], 0, view[1], 40), frame_size=(60, 40))
    if 2 * seen != shown or shown == 0:  # an exact half may round either way
        assert outside.tolist() == [expected]


def test_a_tube_counts_its_frames_once_and_leaves_out_those_without_a_quad() -> None:
    """Two clips share frame 3; in frame 1 nobody is followed."""
    left, middle, nobody = quad(0, 0, 50, 90), quad(250, 0, 300, 90), np.full((4, 2), np.nan).tolist()
    quads = np.array([[left, nobody, middle, left], [left, left, middle, middle]])[:, None]
    tubes = record("tubes", field_of_view=CENTER, frame_index=[[0, 1, 2, 3], [3, 4, 5, 6]], frame_quads=quads)
    assert dict(streams_out_of_view({"tubes": tubes})) == {
        "tubes": OutOfView(3, 6)
    }  # 0, 3 and 4 of 0, 2 to 6


def test_segments_take_the_boxes_of_the_crops_within_their_frames() -> None:
    boxes = [[0, 0, 50, 90, 0.9], [250, 0, 300, 90, 0.9], [600, 0, 640, 90, 0.9]]
    crops = record("crops", frame_index=[[10], [30], [90]], boxes=boxes)
    segments = record("segments", field_of_view=CENTER, frame_index=[[0, 20], [25, 50]])
    outside = dict(streams_out_of_view({"segments": segments, "crops": crops}))
    assert outside == {"segments": OutOfView(1, 2)}  # frame 90 is none that the segments look at
    assert str(outside["segments"]) == "in 1 of 2 frames"
    assert outside["segments"].option == "--framing whole"


def test_a_network_that_sees_the_whole_frame_needs_no_option() -> None:
    crops = record("crops", frame_index=[[10]], boxes=[[650, 0, 700, 90, 0.9]])
    segments = record("segments", field_of_view=(0, 0, 640, 360), frame_index=[[0, 20]])
    assert dict(streams_out_of_view({"segments": segments, "crops": crops})) == {
        "segments": OutOfView(1, 1, "")
    }


def test_nothing_is_said_where_nobody_knows_the_athlete_or_the_frame() -> None:
    segments = record("segments", field_of_view=CENTER, frame_index=[[0, 20]])
    assert list(streams_out_of_view({"segments": segments})) == []
    boxes = record("crops", frame_index=[[10]], boxes=[[0, 0, 50, 90, 0.9]])
    imported = record("segments", footage=None, frame_index=[[0, 20]])
    assert list(streams_out_of_view({"segments": imported, "crops": boxes})) == []
    seen = record("crops", frame_index=[[10]], boxes=[[250, 0, 300, 90, 0.9]])
    assert list(streams_out_of_view({"segments": segments, "crops": seen})) == []
