"""Boxes that are not of the picture are refused; those that are, in their every form, are not."""

import numpy as np
import pytest

from aqa_pipeline.errors import DatasetError
from aqa_pipeline.footage import Footage, check_belong, doubt

WIDTH, HEIGHT, NUM_FRAMES = 640, 360, 30
FOOTAGE = Footage(WIDTH, HEIGHT, NUM_FRAMES, 0, NUM_FRAMES, 25.0)
SCALES = ((1.0, 1.0), (1.5, 1.5), (2.0, 2.0), (1280 / 640, 1024 / 360))


def athlete(scale=(1.0, 1.0)):
    """Frame index and boxes of an athlete in pixels of a picture `scale` times as large."""
    x = np.linspace(40, 500, NUM_FRAMES)
    boxes = np.stack([x, np.full_like(x, 100), x + 90, np.full_like(x, 340)], axis=1) * np.tile(scale, 2)
    return np.arange(NUM_FRAMES), boxes.reshape(-1, 2, 2)


def check(frame_index, corners, footage=FOOTAGE, **options):
    check_belong(frame_index, corners, footage, name="boxes b.csv", **options)


def test_boxes_of_the_picture_belong_to_it_up_to_its_border():
    check(*athlete())
    index, corners = athlete()
    corners[0] = [[-40, -12], [80, 361.5]]  # cut by the border, and rounded beyond it
    check(index, corners)
    check(np.empty(0, np.int64), np.empty((0, 2, 2)))


def test_shares_of_the_picture_are_reported_with_their_factors():
    index, corners = athlete((1 / WIDTH, 1 / HEIGHT))
    with pytest.raises(DatasetError, match=r"b\.csv: .* shares of .* Multiply x by 640 and y by 360"):
        check(index, corners)


@pytest.mark.parametrize("scale", SCALES[1:])
def test_boxes_of_a_larger_picture_are_refused(scale):
    with pytest.raises(DatasetError, match=r"rows reach beyond the picture of 640x360 pixels"):
        check(*athlete(scale))


def test_boxes_of_a_smaller_picture_are_doubted_where_they_stay_in_a_quarter():
    index, corners = athlete((0.25, 0.25))
    check(index, corners)
    assert "upper left quarter, up to x 147.5 and y 85 of 640x360" in doubt(corners, FOOTAGE)
    assert doubt(athlete()[1], FOOTAGE) is None
    assert doubt(corners[:9], FOOTAGE) is None  # too few to tell


def test_a_quad_may_leave_the_picture_but_its_center_may_not():
    index, corners = athlete()
    quads = corners[:, [[0, 0], [1, 0], [1, 1], [0, 1]], [[0, 1]] * 4]
    quads[3] += [150, 0]
    quads[-1] += [90, 0]
    check(index, quads, may_leave=True)
    with pytest.raises(DatasetError, match="1 of 30 rows reach beyond"):
        check(index, quads)
    quads[-1] += [50, 0]
    with pytest.raises(DatasetError, match=r"1 of 30 rows reach beyond .*first: frame 29"):
        check(index, quads, may_leave=True)


@pytest.mark.parametrize(
    ("shift", "advice"),
    [(1, "The frames seem to be counted from 1: subtract 1"), (400, "Do these boxes belong to this video")],
)
def test_frames_beyond_the_end_are_reported(shift, advice):
    index, corners = athlete()
    with pytest.raises(DatasetError, match=rf"the video has the frames 0 to 29\. {advice}"):
        check(index + shift, corners)


def test_rows_count_the_file_not_the_performance():
    window = Footage(WIDTH, HEIGHT, 500, 100, 130, 25.0)
    index, corners = athlete()
    check(index + 100, corners, window)
    check(index, corners, window.performance)
    with pytest.raises(DatasetError, match="no row is in the performance, frames 100 to 129"):
        check(index, corners, window)


def test_dots_show_nobody():
    index, corners = athlete()
    dots = corners[:, :1] + [[0, 0], [3, 2]]
    with pytest.raises(DatasetError, match="30 of 30 rows are smaller than 4 pixels"):
        check(index, dots)
    dots[:15] = corners[:15]
    check(index, dots)
