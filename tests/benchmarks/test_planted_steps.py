"""Planted steps: what is planted, when a step ranks first, and that effects find what weights miss."""

import numpy as np
import pytest

from benchmarks.planted_steps import (
    NUM_PLANTED,
    NUM_STEPS,
    SIGNALS,
    Hits,
    hits_of,
    planted_videos,
    ranks_first,
    rows_of,
)


@pytest.mark.parametrize("signal", SIGNALS)
def test_two_steps_are_planted_and_drawn_again_alike(signal: str) -> None:
    videos, again = (planted_videos(20, signal, seed=3) for _ in range(2))
    for video, same in zip(videos, again, strict=True):
        assert video.planted.sum() == NUM_PLANTED
        assert NUM_STEPS[0] <= len(video.planted) < NUM_STEPS[1]
        assert np.array_equal(video.features, same.features)


def test_events_add_up_to_the_score_and_shift_their_steps_alone() -> None:
    videos = planted_videos(200, "events", seed=0)
    assert all(video.score == pytest.approx(video.sizes.sum()) for video in videos)
    assert not any(video.sizes[~video.planted].any() for video in videos)
    planted = np.concatenate([video.features[video.planted] for video in videos])
    others = np.concatenate([video.features[~video.planted] for video in videos])
    sizes = np.concatenate([video.sizes[video.planted] for video in videos])
    assert np.linalg.norm(np.cov(sizes, planted.T)[0, 1:]) / sizes.var() == pytest.approx(2.0, rel=0.1)
    assert np.abs(others.mean(axis=0)).max() < 0.05


@pytest.mark.parametrize(
    ("values", "expected"), [([3, 1, 2], True), ([3, 2, 2], False), ([1, 3, 2], False), ([1, 1, 1], False)]
)
def test_a_tie_with_another_step_is_no_hit(values: list[float], expected: bool) -> None:
    assert ranks_first(np.array(values, float), np.array([True, False, True])) == expected


def test_the_table_counts_videos_and_pairs_draws() -> None:
    yes, no = np.array([True, True]), np.array([False, True])
    draws = [Hits(yes, no, np.array([True, False]), 0.5), Hits(no, no, np.array([True, True]), 0.7)]
    *_, row = rows_of({"wd": draws})
    assert row == "| wd | 0.60 | 75.0% | 50.0% | 50.0% | 25.0% | +25.0% [+0.0%, +50.0%] | 75.0% |"


def test_effects_rank_events_first_where_equal_weights_cannot() -> None:
    """Ridge regression weighs all steps equally: no weight ranks first, and effects have the right sign."""
    videos = planted_videos(70, "events", seed=0)
    hits = hits_of("ridge", videos[:50], videos[50:], seed=0)
    assert not hits.by_weight.any()
    assert hits.by_effect.mean() > 0.2
    assert hits.right_signs.mean() > 0.9
