"""Display matrices against OpenCV, which turns pictures by itself, and against each pixel's own place."""

import cv2
import numpy as np
import pytest

from aqa_pipeline.records import Video
from aqa_pipeline.video import open_video
from aqa_pipeline.video.orientation import QUARTER_TURNS_AND_MIRRORS, orient, swaps_sides


@pytest.mark.parametrize("name", ["turned_90.mp4", "turned_180.mp4", "turned_270.mp4"])
def test_turned_videos_look_as_in_opencv(videos, name, read_number):
    capture = cv2.VideoCapture(str(videos[name].path))
    found, bgr = capture.read()
    capture.release()
    assert found
    with open_video(Video("v", videos[name].path)) as opened:
        _, ours = next(opened.frames([0]))
    assert ours.shape == bgr.shape
    assert read_number(bgr[:, :, ::-1]) == read_number(ours) == 0
    assert np.abs(ours.astype(int) - bgr[:, :, ::-1]).max() <= 3  # the two convert colors by different code


@pytest.mark.parametrize("orientation", sorted(QUARTER_TURNS_AND_MIRRORS))
def test_every_pixel_goes_where_the_matrix_sends_it(orientation):
    """ISO 14496-12, 6.2.2: (x, y) is shown at (a x + c y, b x + d y), moved so that all are positive."""
    picture = np.random.default_rng(0).integers(0, 255, (3, 5, 3), dtype=np.uint8)
    a, b, c, d = orientation
    height, width = picture.shape[:2]
    places = {(a * x + c * y, b * x + d * y): picture[y, x] for y in range(height) for x in range(width)}
    left, top = min(x for x, _ in places), min(y for _, y in places)
    shown = orient(picture, orientation)
    assert shown.shape[:2] == ((width, height) if swaps_sides(orientation) else (height, width))
    for (x, y), pixel in places.items():
        assert np.array_equal(shown[y - top, x - left], pixel)
