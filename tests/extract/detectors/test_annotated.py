"""Boxes of the dataset come with the frames of the file."""

import numpy as np
import pytest

from aqa_pipeline.errors import DatasetError
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Video
from extract.detectors import load_detector

FOOTAGE = Footage(20, 20, 30, 10, 13, 25.0)


def a_video(path, **facts):
    return Video("a", path, **facts)


CSV = "frame_index,x1,y1,x2,y2\n10,1,2,3,4.5\n10,0,0,9,9\n12,5,5,16,16\n"


def test_annotated_boxes_are_found_by_the_frame_of_the_file(tmp_path):
    (tmp_path / "a.csv").write_text(CSV)
    video = a_video(tmp_path / "a.mp4", start_frame=10, boxes=tmp_path / "a.csv")
    frames = [np.zeros((20, 20, 3), np.uint8)] * 3
    first, second, third = load_detector("annotations", device="cpu").for_video(video, FOOTAGE)(
        frames, [0, 1, 2]
    )
    np.testing.assert_array_equal(first, np.array([[1, 2, 3, 4.5, 1], [0, 0, 9, 9, 1]], np.float32))
    assert first.dtype == np.float32
    assert second.shape == (0, 5)
    np.testing.assert_array_equal(third, [[5, 5, 16, 16, 1]])


def test_a_video_without_boxes_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="video 'a' came without person boxes: use another detector"):
        load_detector("annotations", device="cpu").for_video(a_video(tmp_path / "a.mp4"), FOOTAGE)
