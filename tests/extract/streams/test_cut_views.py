"""Views of clips by the plain definition: so many frames earlier, and mirrored left to right."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqa_pipeline.video import Timeline
from extract.streams import ClipSampling, TubeSampling
from extract.streams.clip_sampling import View, cut_views, plan_clips
from extract.streams.tube_sampling import plan_tubes

OFFSETS = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=4)


def timeline(num_frames: int) -> Timeline:
    return Timeline(np.arange(num_frames), Fraction(1, 25), num_frames)


@given(OFFSETS, st.integers(1, 8))
def test_a_view_ends_its_offset_before_the_step_and_is_mirrored_if_asked(offsets, frames_per_clip):
    views = [View(f"v{at}", offset, flip) for at, (offset, flip) in enumerate(offsets)]
    num_frames = frames_per_clip + max(view.end_offset for view in views)
    step = np.random.default_rng(0).integers(0, 256, (num_frames, 2, 3, 3), np.uint8)
    for view, clip in zip(views, cut_views(step, views=views, frames_per_clip=frames_per_clip), strict=True):
        last = num_frames - view.end_offset
        expected = step[last - frames_per_clip : last]
        np.testing.assert_array_equal(clip, expected[:, :, ::-1] if view.flip else expected)
        assert np.shares_memory(clip, step), "nothing is copied"


@pytest.mark.parametrize("views", ["reference", "all"])
@given(num_frames=st.integers(1, 130), frames_per_clip=st.sampled_from([8, 16, 32]))
def test_every_view_of_the_last_frames_is_the_video_that_many_frames_earlier(
    views, num_frames, frames_per_clip
):
    sampling = ClipSampling("last-96", views)
    steps = plan_clips(timeline(num_frames), sampling=sampling, frames_per_clip=frames_per_clip)
    assert len(steps) == 96 // frames_per_clip
    for view in sampling.chosen_views:
        stop = steps.frame_index.shape[1] - view.end_offset
        seen = steps.frame_index[:, stop - frames_per_clip : stop].ravel()
        wanted = np.arange(num_frames - 96 - view.end_offset, num_frames - view.end_offset)
        np.testing.assert_array_equal(seen, np.maximum(wanted, 0))


@given(
    st.integers(1, 200),
    st.integers(1, 16),
    st.integers(16, 150),
    st.sampled_from(["reference", "flip", "all"]),
)
def test_clips_of_a_tube_are_sixteen_frames_and_the_last_ends_with_the_video(num_frames, stride, most, views):
    sampling = TubeSampling(most, stride, views)
    steps = plan_tubes(timeline(num_frames), sampling=sampling)
    reference = steps.frame_index[:, -16:]
    assert reference.shape[1] == 16
    assert reference[-1, -1] == num_frames - 1
    assert reference[0, 0] == max(0, num_frames - most)
    covered = set(reference.ravel().tolist())
    assert covered == set(range(max(0, num_frames - most), num_frames)), "the tracker misses no frame"
    assert (np.diff(reference[:, -1]) >= 0).all()
    assert np.diff(reference[:, -1]).max(initial=0) <= stride
    assert (steps.pts_seconds[:, 1] > steps.pts_seconds[:, 0]).all()
    np.testing.assert_allclose(steps.pts_seconds[-1, 1], num_frames / 25)
