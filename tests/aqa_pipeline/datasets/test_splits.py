"""Splits from a seed: parts that share nothing, the sizes that were asked for, and the same everywhere."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqa_pipeline.datasets.splits import folds, grouped_splits, random_split, random_splits, share_of

IDS = st.lists(st.text("abcdef", min_size=1, max_size=4), min_size=2, max_size=30, unique=True)
GROUPS = st.dictionaries(st.text("abcdef", min_size=1, max_size=4), st.sampled_from("uvwxyz"), min_size=2)


def assert_parts(split, ids) -> None:
    """Check that both sets together are all videos, each in the given order, and share none."""
    assert sorted((*split.train, *split.test)) == sorted(ids)
    assert not set(split.train) & set(split.test)
    for side in (split.train, split.test):
        assert list(side) == [video_id for video_id in ids if video_id in side]


@given(IDS, st.data())
def test_random_splits_have_the_size_asked_for_and_miss_nobody(ids, data):
    num_test = data.draw(st.integers(1, len(ids) - 1))
    splits = random_splits(ids, num_test=num_test, num_splits=3)
    assert list(splits) == ["random-0", "random-1", "random-2"]
    for split in splits.values():
        assert_parts(split, ids)
        assert len(split.test) == num_test


@given(IDS, st.integers(0, 2**32 - 1))
def test_a_seed_is_the_permutation_of_numpys_legacy_generator(ids, seed):
    order = np.random.RandomState(seed).permutation(len(ids))
    split = random_split("s", ids, num_test=1, seed=seed)
    assert split.test == (ids[order[0]],)


@given(GROUPS)
def test_folds_test_every_video_once_and_tear_no_group(groups):
    splits = folds("grouped", groups)
    num_groups = len(set(groups.values()))
    if num_groups < 2:
        assert splits == {}
        return
    assert 2 <= len(splits) <= min(5, num_groups)
    tested = Counter(video_id for split in splits.values() for video_id in split.test)
    assert tested == dict.fromkeys(groups, 1)
    for split in splits.values():
        assert_parts(split, list(groups))
        assert not {groups[v] for v in split.train} & {groups[v] for v in split.test}


@given(GROUPS)
def test_no_fold_tests_a_single_video_where_fewer_folds_avoid_it(groups):
    """A single test video has no rank. Two folds are the fewest: only there it may be."""
    splits = folds("grouped", groups)
    if any(len(split.test) == 1 for split in splits.values()):
        assert len(splits) == 2


@given(GROUPS)
def test_folds_have_the_sizes_of_scikit_learns(groups):
    """`GroupKFold` gives the largest remaining group to the smallest fold; sizes do not depend on ties."""
    model_selection = pytest.importorskip("sklearn.model_selection")
    splits = folds("grouped", groups)
    if not splits:
        return
    ids = list(groups)
    theirs = model_selection.GroupKFold(len(splits)).split(ids, groups=[groups[v] for v in ids])
    assert sorted(len(test) for _, test in theirs) == sorted(len(s.test) for s in splits.values())


@given(GROUPS, st.integers(1, 10))
def test_grouped_splits_tear_no_group_and_leave_neither_set_empty(groups, num_test):
    splits = grouped_splits(groups, num_test=num_test)
    assert bool(splits) == (len(set(groups.values())) >= 2)
    for split in splits.values():
        assert_parts(split, list(groups))
        assert split.train
        assert split.test
        assert not {groups[v] for v in split.train} & {groups[v] for v in split.test}


def test_a_grouped_split_comes_as_close_as_its_order_allows():
    groups = {f"v{at}": f"g{at}" for at in range(20)}
    for split in grouped_splits(groups, num_test=7).values():
        assert len(split.test) == 7, "groups of one video can meet any number"


def test_the_drawn_videos_are_the_same_on_every_machine():
    ids = [f"v{at}" for at in range(10)]
    assert random_split("s", ids, num_test=3, seed=0).test == ("v2", "v4", "v8")
    groups = dict(zip(ids, "aabbccddee", strict=True))
    assert {name: split.test for name, split in folds("g", groups).items()}.keys() == {
        "g-0", "g-1", "g-2", "g-3", "g-4",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("num_videos", "share", "num_test"),
    [(10, 0.3, 3), (2, 0.3, 1), (2, 0.9, 1), (3, 0.0, 1), (3, 1.0, 2), (5, 0.5, 2), (7, 0.5, 4)],
)
def test_a_share_leaves_a_video_in_each_set(num_videos, share, num_test):
    assert share_of(num_videos, share) == num_test
