"""Which frames make which clip: a matter of counting, so every case can be written down."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqa_pipeline.errors import AqaError
from aqa_pipeline.video import Timeline
from extract.streams.clip_sampling import VIEWS, ClipSampling, cut_views, plan_clips

LENGTHS = [1, 2, 31, 95, 96, 97, 100, 101, 102, 140]


def timeline_of(num_frames: int, *, fps: int = 25) -> Timeline:
    return Timeline(np.arange(num_frames), Fraction(1, fps), num_frames)


def frames_seen(steps, views, frames_per_clip: int) -> np.ndarray:
    """Return frame indices (clip, view, frame), cut as the encoder cuts pixels."""
    rows = []
    for step in steps.frame_index:
        pixels = np.repeat(step[:, None, None, None], 2, axis=2)  # (frame, 1, 2, 1)
        clips = cut_views(pixels, views=views, frames_per_clip=frames_per_clip)
        rows.append([clip[:, 0, 0, 0] for clip in clips])
    return np.array(rows)


@pytest.mark.parametrize("frames_per_clip", [8, 16, 32])
@pytest.mark.parametrize("num_frames", LENGTHS)
def test_a_view_is_the_96_frames_up_to_its_end_frame(num_frames, frames_per_clip):
    steps = plan_clips(timeline_of(num_frames), sampling=ClipSampling(), frames_per_clip=frames_per_clip)
    seen = frames_seen(steps, ClipSampling().chosen_views, frames_per_clip)
    assert seen.shape == (96 // frames_per_clip, 12, frames_per_clip)
    for place, view in enumerate(ClipSampling().chosen_views):
        end_frame = num_frames - 1 - (place % 6)  # one of the last six
        assert (view.end_offset, view.flip) == (place % 6, place >= 6)
        preceding = [max(0, end_frame - before) for before in range(95, -1, -1)]
        assert seen[:, place].ravel().tolist() == preceding


@pytest.mark.parametrize(("num_frames", "expected"), [(1, 100), (40, 61), (100, 1), (101, 0), (400, 0)])
def test_the_first_frame_is_repeated_in_front_of_a_short_video_and_counted(num_frames, expected):
    steps = plan_clips(timeline_of(num_frames), sampling=ClipSampling(), frames_per_clip=16)
    assert steps.counts == {"num_repeated_frames": expected}


def test_nothing_before_the_last_101_frames_is_decoded_and_for_the_reference_96():
    every = plan_clips(timeline_of(500), sampling=ClipSampling(), frames_per_clip=32)
    one = plan_clips(timeline_of(500), sampling=ClipSampling(views="reference"), frames_per_clip=32)
    assert np.unique(every.frame_index).tolist() == list(range(399, 500))
    assert one.frame_index.ravel().tolist() == list(range(404, 500))


@pytest.mark.parametrize("frames_per_clip", [8, 13, 32])
@pytest.mark.parametrize("num_frames", [*LENGTHS, 64])
def test_the_whole_video_is_every_frame_once(num_frames, frames_per_clip):
    sampling = ClipSampling("whole")
    steps = plan_clips(timeline_of(num_frames), sampling=sampling, frames_per_clip=frames_per_clip)
    repeated = -num_frames % frames_per_clip
    assert steps.frame_index.ravel().tolist() == [0] * repeated + list(range(num_frames))
    assert steps.counts == {"num_repeated_frames": repeated}
    seen = frames_seen(steps, sampling.chosen_views, frames_per_clip)
    np.testing.assert_array_equal(seen[:, 0], seen[:, 1])  # only mirrored
    np.testing.assert_array_equal(seen[:, 0], steps.frame_index)


def test_views_by_name_with_the_reference_first():
    names = [view.name for view in ClipSampling().chosen_views]
    assert names[:7] == ["end-0", "end-1", "end-2", "end-3", "end-4", "end-5", "end-0-flip"]
    assert names[-1] == "end-5-flip"
    assert [view.name for view in ClipSampling("whole").chosen_views] == ["plain", "flip"]
    for span, views in VIEWS.items():
        assert ClipSampling(span, "reference").chosen_views == views[:1]
        assert (views[0].end_offset, views[0].flip) == (0, False)


def test_times_are_those_of_the_reference_view():
    steps = plan_clips(timeline_of(200), sampling=ClipSampling(), frames_per_clip=32)
    np.testing.assert_allclose(steps.pts_seconds * 25, [[104, 136], [136, 168], [168, 200]])
    alone = plan_clips(timeline_of(200), sampling=ClipSampling(views="reference"), frames_per_clip=32)
    np.testing.assert_array_equal(alone.pts_seconds, steps.pts_seconds)


def test_times_follow_a_variable_frame_rate():
    uneven = Timeline(np.array([0, 10, 15, 40, 41, 90]), Fraction(1, 100), 100)
    steps = plan_clips(uneven, sampling=ClipSampling("whole"), frames_per_clip=3)
    np.testing.assert_allclose(steps.pts_seconds, [[0, 0.4], [0.4, 1.0]])


def test_clips_of_repeated_frames_last_as_long_as_the_first_frame():
    steps = plan_clips(timeline_of(40), sampling=ClipSampling(), frames_per_clip=32)
    np.testing.assert_allclose(steps.pts_seconds * 25, [[0, 1], [0, 8], [8, 40]])
    one = plan_clips(timeline_of(1), sampling=ClipSampling(), frames_per_clip=32)
    np.testing.assert_allclose(one.pts_seconds * 25, [[0, 1]] * 3)


@given(
    num_frames=st.integers(1, 400),
    frames_per_clip=st.sampled_from([1, 8, 13, 16, 32]),
    span=st.sampled_from(["last-96", "whole"]),
    views=st.sampled_from(["all", "reference"]),
)
def test_any_plan_ends_with_the_video_and_its_times_are_in_order(num_frames, frames_per_clip, span, views):
    sampling = ClipSampling(span, views)
    steps = plan_clips(timeline_of(num_frames), sampling=sampling, frames_per_clip=frames_per_clip)
    assert steps.frame_index.min() >= 0
    assert steps.frame_index[-1, -1] == num_frames - 1
    assert (np.diff(steps.frame_index, axis=1) <= 1).all()
    assert (np.diff(steps.pts_seconds, axis=1) > 0).all()
    assert (np.diff(steps.pts_seconds[:, 0]) >= 0).all()
    assert steps.pts_seconds[-1, 1] == pytest.approx(num_frames / 25)


@pytest.mark.parametrize(
    ("num_frames", "first", "num_clips"),
    [(32, 0, 1), (33, 0, 1), (34, 1, 1), (63, 15, 1), (64, 0, 2), (95, 15, 2), (355, 1, 11)],
)
def test_the_middle_drops_what_is_left_over_at_both_ends(num_frames, first, num_clips):
    """As GDLT's code: start = left over // 2."""
    sampling = ClipSampling("middle", "reference")
    steps = plan_clips(timeline_of(num_frames), sampling=sampling, frames_per_clip=32)
    np.testing.assert_array_equal(steps.frame_index.ravel(), np.arange(first, first + 32 * num_clips))
    np.testing.assert_allclose(steps.pts_seconds[[0, -1], [0, 1]] * 25, [first, first + 32 * num_clips])
    assert steps.counts["num_repeated_frames"] == 0


def test_a_video_shorter_than_a_clip_has_a_middle_with_its_first_frame_repeated():
    steps = plan_clips(timeline_of(30), sampling=ClipSampling("middle"), frames_per_clip=32)
    np.testing.assert_array_equal(steps.frame_index, [[0, 0, *range(30)]])
    assert steps.counts["num_repeated_frames"] == 2


@pytest.mark.parametrize("frames", [13, 64, 100])
def test_clips_that_do_not_fill_96_frames_are_refused(frames):
    message = rf"backbone x3d takes {frames} frames, which do not divide 96.*8, 16 or 32.*--clips whole"
    with pytest.raises(AqaError, match=message):
        ClipSampling().check_fits("x3d", frames)
    ClipSampling("whole").check_fits("x3d", frames)


@pytest.mark.parametrize("frames", [1, 8, 16, 32, 48, 96])
def test_clips_that_fill_96_frames_are_taken(frames):
    ClipSampling().check_fits("any", frames)
