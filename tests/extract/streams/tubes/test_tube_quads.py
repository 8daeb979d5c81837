"""Stored quads are where the network sees the athlete, in every view and for every length of video."""

import numpy as np
import pytest

from aqa_pipeline.athlete.tube_masks import PictureGeometry, paper_frame_masks, union_of_frames
from extract.streams import TubeSampling

WIDTH, HEIGHT, FPS = 160, 90, 25.0
ONE_PIXEL = 1.5  # of the picture: an edge is a slope there, for frames are enlarged 2.8 times


@pytest.mark.parametrize("views", ["reference", "flip", "all"])
def test_quads_are_where_the_network_sees_the_athlete_in_every_view(
    tmp_path, athlete_video, views, tubes_record, tubes_stream, bounds, athlete
):
    num_frames = 112
    record = tubes_record(tmp_path / "s", athlete_video("a", num_frames), tubes_stream(views))
    chosen = TubeSampling(views=views).chosen_views
    seen = record.features[..., 0, 0]  # (clip, view, 5, 16)
    assert seen.shape == (10, len(chosen), 5, 16)
    for clip, start in enumerate([0, 10, 20, 30, 40, 50, 60, 70, 80, 87]):
        for at, view in enumerate(chosen):
            numbers = num_frames - 103 + start - view.end_offset + np.arange(16)
            np.testing.assert_array_equal(seen[clip, at, 0], numbers)
            in_frame = np.array([athlete(number) for number in numbers])
            np.testing.assert_array_equal(bounds(record.extras["frame_quads"][clip, at]), in_frame)
    in_crop = np.moveaxis(seen[:, :, 1:], 2, -1)
    np.testing.assert_allclose(bounds(record.extras["quads"]), in_crop, atol=ONE_PIXEL)
    np.testing.assert_array_equal(record.extras["frame_index"], seen[:, 0, 0])
    assert record.extras["present"].all()
    assert (record.extras["scores"] == 1).all()
    assert record.extras["frame_size"].tolist() == [[WIDTH, HEIGHT]] * 10


def test_masks_of_the_record_are_those_of_the_frames_quads(
    tmp_path, athlete_video, tubes_record, tubes_stream
):
    record = tubes_record(tmp_path / "s", athlete_video("a", 103), tubes_stream())
    geometry = PictureGeometry((WIDTH, HEIGHT))
    of_crop = union_of_frames(paper_frame_masks(record.extras["quads"]))
    for view, flipped in enumerate((False, True)):
        in_picture = geometry.in_picture(record.extras["frame_quads"][:, view], flipped=flipped)
        np.testing.assert_array_equal(of_crop[:, view], union_of_frames(paper_frame_masks(in_picture)))
    assert of_crop.any(axis=(-2, -1)).all()


def test_seven_clips_for_fr_fs(tmp_path, athlete_video, tubes_record, tubes_stream):
    record = tubes_record(tmp_path / "s", athlete_video("a", 103), tubes_stream("reference", stride=16))
    assert record.features[:, 0, 0, 0, 0, 0].tolist() == [0, 16, 32, 48, 64, 80, 87]


@pytest.mark.parametrize("num_frames", [1, 13, 30])
def test_a_short_video(tmp_path, athlete_video, num_frames, tubes_record, tubes_stream, bounds):
    record = tubes_record(tmp_path / "s", athlete_video("a", num_frames), tubes_stream("all"))
    in_crop = np.moveaxis(record.features[:, :, 1:, :, 0, 0], 2, -1)
    np.testing.assert_allclose(bounds(record.extras["quads"]), in_crop, atol=ONE_PIXEL)
    assert record.counts["num_tracked_frames"] == num_frames
    assert len(record.features) == (1 if num_frames < 17 else 3)


def test_a_performance_cut_out_of_a_longer_file_has_its_own_boxes(
    tmp_path, athlete_video, tubes_record, tubes_stream, athlete, bounds
):
    video = athlete_video("a", 60, start_frame=20, stop_frame=50)
    record = tubes_record(tmp_path / "s", video, tubes_stream("reference"))
    assert record.features[:, 0, 0, 0, 0, 0].tolist() == [20, 30, 34]
    assert bounds(record.extras["frame_quads"])[0, 0, 0].tolist() == list(athlete(20))
