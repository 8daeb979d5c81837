"""Which frames the clips of a tube have: the papers' start points, worked out by hand."""

from fractions import Fraction

import numpy as np
import pytest

from aqa_pipeline.errors import AqaError
from aqa_pipeline.video import Timeline
from extract.streams import TubeSampling
from extract.streams.tube_sampling import VIEWS, clip_starts, frames_of_view, plan_tubes, usual_stride


def timeline(num_frames: int) -> Timeline:
    return Timeline(np.arange(num_frames), Fraction(1, 25), num_frames)


def test_the_papers_start_points():
    assert clip_starts(103, stride=usual_stride("mtl-aqa")) == [0, 10, 20, 30, 40, 50, 60, 70, 80, 87]
    assert clip_starts(103, stride=usual_stride("aqa7")) == [0, 10, 20, 30, 40, 50, 60, 70, 80, 87]
    assert clip_starts(103, stride=usual_stride("fr-fs")) == [0, 16, 32, 48, 64, 80, 87]


@pytest.mark.parametrize("stride", [1, 7, 10, 16])
@pytest.mark.parametrize("num_frames", [16, 17, 31, 32, 33, 96, 103, 250])
def test_clips_see_every_frame_and_no_clip_is_there_twice(num_frames, stride):
    starts = np.array(clip_starts(num_frames, stride=stride))
    assert (np.diff(starts) > 0).all()
    assert set((starts[:, None] + np.arange(16)).ravel()) == set(range(num_frames))


def test_the_last_frames_count():
    steps = plan_tubes(timeline(150), sampling=TubeSampling())
    assert steps.frame_index[:, 0].tolist() == [47 + start for start in clip_starts(103, stride=10)]
    np.testing.assert_array_equal(steps.frame_index[-1], np.arange(134, 150))
    np.testing.assert_allclose(steps.pts_seconds[0], [47 / 25, 63 / 25])
    np.testing.assert_allclose(steps.pts_seconds[-1], [134 / 25, 150 / 25])
    assert steps.counts == {"num_repeated_frames": 0}


def test_shifted_views_see_the_frames_before():
    sampling = TubeSampling(views="all")
    steps = plan_tubes(timeline(106), sampling=sampling)
    assert steps.frame_index.shape == (10, 22)
    assert steps.frame_index[0].tolist() == [0, 0, 0, 0, 1, 2, *range(3, 19)]
    assert steps.counts == {"num_repeated_frames": 3}
    first_seen = [steps.frame_index[1, frames_of_view(view, 22)][0] for view in sampling.chosen_views]
    assert first_seen == [13, 12, 11, 10, 9, 8, 7] * 2


@pytest.mark.parametrize(("num_frames", "starts"), [(16, [0]), (17, [0, 1]), (40, [0, 10, 20, 24])])
def test_a_shorter_performance_is_taken_whole(num_frames, starts):
    steps = plan_tubes(timeline(num_frames), sampling=TubeSampling())
    assert steps.frame_index[:, 0].tolist() == starts
    assert steps.frame_index.max() == num_frames - 1


@pytest.mark.parametrize("num_frames", [1, 13])
def test_a_performance_shorter_than_a_clip_repeats_its_first_frame(num_frames):
    steps = plan_tubes(timeline(num_frames), sampling=TubeSampling())
    assert steps.frame_index.tolist() == [[0] * (16 - num_frames) + list(range(num_frames))]
    assert steps.counts == {"num_repeated_frames": 16 - num_frames}
    np.testing.assert_allclose(steps.pts_seconds, [[0, num_frames / 25]])


def test_views():
    assert [len(VIEWS[choice]) for choice in ("reference", "flip", "all")] == [1, 2, 14]
    assert all(views[0] == VIEWS["reference"][0] for views in VIEWS.values())
    assert {view.end_offset for view in VIEWS["all"] if view.flip} == set(range(7))


@pytest.mark.parametrize("numbers", [(15, 10), (103, 0), (103, 17)])
def test_numbers_that_leave_frames_untracked_are_refused(numbers):
    with pytest.raises(AqaError, match="16 frames or more, a clip every 1 to 16 of them; got"):
        TubeSampling(*numbers)
