"""Corners of any box turned by any angle, and which frames are lost: against the plain definitions."""

import itertools
import math

import cv2
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aqa_pipeline.records import Event
from extract.trackers.corners import bounding_box, box_quad, canonical, vot_box
from extract.trackers.tracker import check_start
from extract.trackers.tube import Step, lost_in, no_quad

CENTER = st.floats(-200, 800)
SIDE = st.floats(2, 300)
ANGLE = st.floats(0, 2 * math.pi)


def turned(x: float, y: float, width: float, height: float, angle: float) -> np.ndarray:
    """Return the corners (4, 2) of a box around (x, y), turned clockwise on the picture."""
    corners = np.array([[-width, -height], [width, -height], [width, height], [-width, height]]) / 2
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    return corners @ turn + [x, y]


def area_of(quad: np.ndarray) -> float:
    """Return the signed area by the shoelace formula: positive if clockwise on a picture."""
    x, y = quad.T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


@given(CENTER, CENTER, SIDE, SIDE, ANGLE, st.permutations(range(4)))
def test_corners_in_any_order_go_clockwise_from_the_least_sum(x, y, width, height, angle, order):
    quad = turned(x, y, width, height, angle)
    sums = np.sort(quad.sum(axis=1))
    assume(sums[1] - sums[0] > 1e-3)
    found = canonical(quad[list(order)])
    assert area_of(found) == pytest.approx(width * height, rel=1e-6)
    assert found[0].sum() == quad.sum(axis=1).min()
    assert {tuple(corner) for corner in found} == {tuple(corner) for corner in quad}


@given(CENTER, CENTER, SIDE, SIDE, ANGLE)
def test_opencvs_corners_of_a_turned_box_become_the_same_quad(x, y, width, height, angle):
    quad = turned(x, y, width, height, angle).astype(np.float32)
    sums = np.sort(quad.sum(axis=1))
    assume(sums[1] - sums[0] > 0.1)
    theirs = cv2.boxPoints(((x, y), (width, height), math.degrees(angle)))
    np.testing.assert_allclose(canonical(theirs), canonical(quad), atol=0.05)


@given(CENTER, CENTER, SIDE, SIDE, ANGLE)
def test_the_vot_box_of_a_turned_box_has_its_center_area_and_shape(x, y, width, height, angle):
    quad = turned(x, y, width, height, angle)
    x1, y1, x2, y2 = vot_box(quad)
    assert ((x1 + x2) / 2, (y1 + y2) / 2) == pytest.approx((x, y), abs=1e-6)
    assert (x2 - x1 - 1) * (y2 - y1 - 1) == pytest.approx(width * height, rel=1e-6)
    around = bounding_box(quad)
    shape = (around[2] - around[0]) / (around[3] - around[1])
    assert (x2 - x1 - 1) / (y2 - y1 - 1) == pytest.approx(float(shape), rel=1e-3)


@given(st.floats(-100, 100, width=32), st.floats(-100, 100, width=32), SIDE, SIDE)
def test_a_box_is_the_bounding_box_of_its_corners(x, y, width, height):
    box = np.array([x, y, x + width, y + height], np.float32)
    quad = box_quad(box)
    np.testing.assert_array_equal(bounding_box(quad), box)
    np.testing.assert_array_equal(canonical(quad), quad)


@given(*(st.floats(-60, 100) for _ in range(4)))
def test_a_track_starts_exactly_where_a_box_of_a_pixel_touches_the_frame(x1, y1, x2, y2):
    from aqa_pipeline.errors import AqaError

    frame = np.zeros((30, 40, 3), np.uint8)
    fits = x2 - x1 >= 1 and y2 - y1 >= 1 and x2 > 0 and y2 > 0 and x1 < 40 and y1 < 30
    if fits:
        assert check_start(frame, np.array([x1, y1, x2, y2, 0.9])).tolist() == [x1, y1, x2, y2]
        return
    with pytest.raises(AqaError, match=r"a track cannot start from the box \["):
        check_start(frame, np.array([x1, y1, x2, y2, 0.9]))


EVENTS = st.lists(
    st.tuples(st.integers(0, 20), st.sampled_from(["lost", "restarted", "jumped", "started"])), max_size=6
)


@given(EVENTS, st.permutations(range(21)))
def test_a_frame_is_lost_after_a_loss_until_a_restart(events, frames):
    """Each event overrules those before it in the list: a loss that is noticed late reaches back."""
    told = [Event(at, kind) for at, kind in events]
    lost = lost_in(np.array(frames).reshape(3, 7), told)
    for frame, found in zip(frames, lost.ravel().tolist(), strict=True):
        kinds = [kind for at, kind in events if frame >= at and kind in ("lost", "restarted")]
        assert found is (bool(kinds) and kinds[-1] == "lost")


def test_a_quad_with_a_nan_is_nobody():
    assert not Step(no_quad(), 0.5).present
    quad = np.zeros((4, 2), np.float32)
    assert Step(quad, 0.5).present
    for row, column in itertools.product(range(4), range(2)):
        broken = quad.copy()
        broken[row, column] = np.nan
        assert not Step(broken, 0.5).present
