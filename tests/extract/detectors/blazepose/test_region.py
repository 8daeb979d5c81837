"""A region is cut out of the frame upright, and its points return to the frame."""

import numpy as np
import pytest

from extract.detectors.blazepose.region import Region, box_of_person, region_of_person, whole_frame_region


def gradient(height=80, width=120):
    """Return a frame whose red says the column and whose green says the row."""
    frame = np.zeros((height, width, 3), np.uint8)
    frame[..., 0], frame[..., 1] = np.arange(width)[None], np.arange(height)[:, None]
    return frame


def test_the_whole_frame_is_padded_to_a_square_with_black():
    region = whole_frame_region(gradient() + 1)
    picture = region.cut(gradient() + 1, 120)
    np.testing.assert_array_equal(picture[20:100], gradient() + 1)
    assert not picture[:20].any()
    assert not picture[100:].any()
    np.testing.assert_allclose(region.to_frame(np.array([[0, 0], [1, 1]])), [[0, -20], [120, 100]])


@pytest.mark.parametrize(
    ("towards", "turned"),
    [((0, -10), 0), ((10, 0), np.pi / 2), ((0, 10), np.pi), ((-10, 0), -np.pi / 2)],
    ids=["upright", "head right", "head down", "head left"],
)
def test_the_head_is_up_in_a_persons_region(towards, turned):
    hips = np.array([60.0, 40.0])
    region = region_of_person(hips, hips + towards, scale=1.25)
    assert (region.side, region.angle) == (25.0, pytest.approx(turned))
    # The scale point is 10 pixels above the middle: at 0.5 - 10 / 25 of the square's height.
    np.testing.assert_allclose(region.to_frame(np.array([0.5, 0.1])), hips + towards, atol=1e-12)


@pytest.mark.parametrize("angle", [0.0, 0.4, np.pi / 2, 2.5])
def test_a_pixel_of_the_cut_is_the_frames_pixel_at_that_point(angle):
    region, size = Region(np.array([60.0, 40.0]), 30.0, angle), 15
    picture = region.cut(gradient(), size)
    at = np.array([[3, 4], [7, 7], [12, 2]])  # x, y
    points = region.to_frame((at + 0.5) / size)
    # The gradient's value is the index of a pixel, whose center lies half a pixel further.
    np.testing.assert_allclose(picture[at[:, 1], at[:, 0], :2], points - 0.5, atol=0.6)


def test_the_box_lies_along_the_axis_of_the_body():
    hips = np.array([100.0, 100.0])
    np.testing.assert_allclose(box_of_person(hips, np.array([100.0, 50.0])), [79.5, 50, 120.5, 150])
    np.testing.assert_allclose(box_of_person(hips, np.array([150.0, 100.0])), [50, 79.5, 150, 120.5])
    leaning = box_of_person(hips, np.array([130.0, 60.0]))  # 30 + 0.41 * 40, and 40 + 0.41 * 30
    np.testing.assert_allclose(leaning, [53.6, 47.7, 146.4, 152.3])
