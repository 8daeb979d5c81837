"""Shares add up, fewer videos come from every set, and qualities are the normal scores of ranks."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, rankdata

from aqa_pipeline.errors import DatasetError, UnknownName
from aqa_pipeline.records import Dataset, Split, Target, Video
from aqa_pipeline.simulation import Simulation, quality_of_videos, thinned
from aqa_pipeline.simulation.shares import in_proportion


@given(st.integers(0, 500), st.lists(st.integers(1, 300), min_size=1, max_size=8))
def test_shares_add_up_and_are_less_than_one_from_exact(total, sizes):
    shares = in_proportion(total, sizes)
    assert sum(shares) == total
    for share, size in zip(shares, sizes, strict=True):
        assert abs(share - total * size / sum(sizes)) < 1


def dataset(scores: list[float], *, num_test: int, splits: int = 1) -> Dataset:
    """Return videos v0, v1, ... in one split, or in one split for each residue of their number."""
    ids = [f"v{number}" for number in range(len(scores))]
    videos = tuple(Video(v, Path(v), {"total": score}) for v, score in zip(ids, scores, strict=True))
    parts = {f"s{at}": ids[at::splits] for at in range(splits)}
    made = {name: Split(name, tuple(part[num_test:]), tuple(part[:num_test])) for name, part in parts.items()}
    return Dataset("toy", Path("toy"), videos, made, (Target("total"),), default_splits=tuple(made))


@given(st.integers(8, 60), st.data())
def test_fewer_videos_keep_their_order_and_come_from_both_sets(num, data):
    num_test = data.draw(st.integers(4, num - 4))
    whole = dataset([float(at) for at in range(num)], num_test=num_test)
    limit = data.draw(st.integers(1, num + 5))
    if limit < num and min(in_proportion(limit, [num - num_test, num_test])) < 2:
        with pytest.raises(DatasetError, match=r"expected at least 2 .*Raise --limit"):
            thinned(whole, limit)
        return
    chosen = thinned(whole, limit)
    assert len(chosen) == min(limit, num)
    assert list(chosen) == [video for video in whole.videos if video in chosen]
    split = whole.split("s0")
    names = {video.video_id for video in chosen}
    assert len(names & set(split.train)) >= 2
    assert len(names & set(split.test)) >= 2


SCORES = st.lists(st.integers(0, 8).map(float), min_size=4, max_size=40)


@given(SCORES, st.sampled_from([1, 2]))
def test_qualities_are_the_normal_scores_of_the_ranks_within_each_split(scores, splits):
    whole = dataset(scores, num_test=1, splits=splits)
    found = quality_of_videos(whole)
    assert set(found) == {video.video_id for video in whole.videos}
    for split in whole.splits.values():
        ids = [*split.train, *split.test]
        labels = [whole.video(video_id).labels["total"] for video_id in ids]
        expected = norm.ppf((rankdata(labels) - 0.5) / len(labels))
        np.testing.assert_allclose([found[video_id] for video_id in ids], expected, atol=1e-12)


def test_a_video_without_a_score_stops_with_its_name():
    whole = dataset([1.0, 2.0, 3.0, 4.0], num_test=1)
    videos = (*whole.videos[:2], Video("v2", Path("v2")), whole.videos[3])
    lacking = Dataset("toy", Path("toy"), videos, whole.splits, whole.targets, default_splits=("s0",))
    with pytest.raises(DatasetError, match=r"1 video has no total score, such as \['v2'\]: add their scores"):
        quality_of_videos(lacking)


@pytest.mark.parametrize("effect", [-0.1, float("nan"), float("inf")])
def test_an_effect_that_is_none_is_refused(effect):
    with pytest.raises(DatasetError, match="expected a finite number >= 0; 0 means no signal"):
        Simulation(effect=effect)


def test_an_unknown_signal_lists_the_known_ones():
    with pytest.raises(
        UnknownName, match=r"unknown signal 'spars'. Did you mean 'sparse'. Known: even, sparse"
    ):
        Simulation(signal="spars")
