"""Corners and boxes are those computed by hand."""

import itertools

import numpy as np
import pytest

from aqa_pipeline.errors import AqaError
from extract.trackers.corners import bounding_box, box_quad, canonical, vot_box
from extract.trackers.tracker import check_start

UPRIGHT = [[2, 1], [6, 1], [6, 4], [2, 4]]
TURNED = [[0, 0], [4, 1], [3, 5], [-1, 4]]
DIAMOND = [[4, 0], [8, 4], [4, 8], [0, 4]]  # (4, 0) and (0, 4) have the same sum


@pytest.mark.parametrize("quad", [UPRIGHT, TURNED, DIAMOND], ids=["upright", "turned", "diamond"])
def test_any_order_of_corners_becomes_the_same(quad):
    for order in itertools.permutations(range(4)):
        np.testing.assert_array_equal(canonical(np.array(quad, np.float32)[list(order)]), quad)


def test_a_box_and_its_corners():
    np.testing.assert_array_equal(box_quad(np.array([2, 1, 6, 4, 0.9])), UPRIGHT)
    np.testing.assert_array_equal(bounding_box(np.array(DIAMOND, np.float32)), [0, 0, 8, 8])


def test_the_vot_box_keeps_center_and_area():
    np.testing.assert_allclose(vot_box(np.array(UPRIGHT)), [1.5, 0.5, 6.5, 4.5])  # one pixel longer
    x1, y1, x2, y2 = vot_box(np.array(DIAMOND))
    assert ((x1 + x2) / 2, (y1 + y2) / 2) == (4, 4)
    assert (x2 - x1 - 1) * (y2 - y1 - 1) == pytest.approx(32)  # the diamond's area
    with pytest.raises(AqaError, match="expected a box with an area"):
        vot_box(np.zeros((4, 2)))


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ([5, 5, 5.5, 9], "at least a pixel apart"),
        ([9, 5, 5, 9], "at least a pixel apart"),
        ([0, 0, np.nan, 9], "at least a pixel apart"),
        ([30, 0, 40, 9], "outside the frame of 30x20 pixels"),
        ([0, -9, 4, 0], "outside the frame of 30x20 pixels"),
    ],
)
def test_boxes_that_cannot_be_a_start_are_refused(box, message):
    with pytest.raises(AqaError, match=message):
        check_start(np.zeros((20, 30, 3), np.uint8), np.array(box))
