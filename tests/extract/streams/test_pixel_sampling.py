"""The frames that a tracker sees between the stored ones."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from extract.streams.pixel_sampling import MOST_BETWEEN, with_frames_between


def test_a_step_holds_the_frames_since_the_step_before():
    stored = np.array([[2], [5], [5], [6]])
    assert with_frames_between(stored).tolist() == [[0, 1, 2], [3, 4, 5], [5, 5, 5], [6, 6, 6]]
    assert with_frames_between(np.array([[0]])).tolist() == [[0]]


@given(st.lists(st.integers(0, 40), min_size=1, max_size=20))
def test_no_frame_is_left_out_unless_there_are_more_than_are_held_at_once(gaps):
    stored = np.cumsum(gaps)[:, None]
    steps = with_frames_between(stored)
    assert (steps[:, -1] == stored[:, 0]).all()
    assert steps.shape[1] <= MOST_BETWEEN
    seen = np.unique(steps)
    assert (np.diff(steps, axis=1) >= 0).all()
    assert (np.diff(steps.min(axis=1)) >= 0).all()
    if max(np.diff(stored[:, 0], prepend=-1)) <= MOST_BETWEEN:
        assert seen.tolist() == list(range(stored[-1, 0] + 1))
    else:  # evenly thinned
        assert np.diff(seen).max() <= -(-40 // (MOST_BETWEEN - 1))
