"""The largest person of a frame, and the crop of a person."""

import numpy as np
import pytest

from extract.detectors import crop_person, largest_person


def test_the_largest_person_is_the_one_of_largest_area():
    boxes = np.array([[0, 0, 10, 10, 0.9], [0, 0, 5, 30, 0.3], [0, 0, 30, 5, 0.8]], np.float32)
    np.testing.assert_array_equal(largest_person(boxes), boxes[1])
    assert largest_person(np.empty((0, 5), np.float32)) is None


@pytest.mark.parametrize(
    ("box", "rows", "columns"),
    [
        ((10.7, 3.0, 20.2, 7.0), (3, 7), (10, 21)),  # outwards
        ((-5, -5, 1000, 1000), (0, 30), (0, 40)),
        ((39.2, 29.9, 80, 80), (29, 30), (39, 40)),
        ((50, 50, 60, 60), (29, 30), (39, 40)),  # beside the frame
        ((-9, -9, -3, -3), (0, 1), (0, 1)),
        ((12, 8, 12, 8), (8, 9), (12, 13)),  # without area
    ],
)
def test_a_crop_is_every_pixel_that_the_box_touches(box, rows, columns):
    frame = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    crop = crop_person(frame, np.array(box, np.float32))
    np.testing.assert_array_equal(crop, frame[slice(*rows), slice(*columns)])
    assert not np.shares_memory(crop, frame)
