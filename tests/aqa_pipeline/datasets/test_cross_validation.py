"""Cross-validations made by name, against what scikit-learn's splitters promise."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut

from aqa_pipeline.datasets.cross_validation import (
    LEAVE_ONE_GROUP_OUT,
    choose_splits,
    mixed_tasks,
    name_of_folds,
)
from aqa_pipeline.errors import DatasetError, UnknownName
from aqa_pipeline.records import Dataset, Split, Target, Video


def make_dataset(scores, groups=None) -> Dataset:
    """Videos v0, v1, ... with those scores (None: no score) and groups, and one split of their own."""
    groups = groups or [None] * len(scores)
    videos = tuple(
        Video(f"v{at}", Path(f"v{at}.mp4"), {} if score is None else {"score": float(score)}, group)
        for at, (score, group) in enumerate(zip(scores, groups, strict=True))
    )
    own = {"given": Split("given", ("v0",), ("v1",))}
    return Dataset("mine", Path("mine"), videos, own, (Target("score"),), default_splits=("given",))


def check_every_video_is_tested_once(dataset: Dataset, splits: list[Split]) -> None:
    labelled = sorted(video.video_id for video in dataset.videos if video.labels)
    assert sorted(video_id for split in splits for video_id in split.test) == labelled
    for split in splits:
        assert sorted((*split.train, *split.test)) == labelled


@settings(max_examples=50, deadline=None)
@given(
    scores=st.lists(st.integers(0, 9) | st.none(), min_size=8, max_size=40).filter(
        lambda scores: sum(score is not None for score in scores) >= 8
    ),
    num_folds=st.integers(2, 4),
)
def test_folds_without_groups_span_the_scores(scores, num_folds: int) -> None:
    dataset = make_dataset(scores)
    splits = choose_splits(dataset, [name_of_folds(num_folds)], target="score")
    assert [split.name for split in splits] == [f"fold-{at}-of-{num_folds}" for at in range(1, num_folds + 1)]
    check_every_video_is_tested_once(dataset, splits)
    sizes = [len(split.test) for split in splits]
    assert max(sizes) - min(sizes) <= 1
    labels = {video.video_id: video.labels["score"] for video in dataset.videos if video.labels}
    in_order = sorted(labels.values())
    for split in splits:  # sorted, the fold's n-th score is one of the n-th block of scores
        for at, score in enumerate(sorted(labels[video_id] for video_id in split.test)):
            assert in_order[at * num_folds] <= score <= in_order[min((at + 1) * num_folds, len(labels)) - 1]


@settings(max_examples=50, deadline=None)
@given(sizes=st.lists(st.integers(2, 7), min_size=4, max_size=9), num_folds=st.integers(2, 4))
def test_folds_with_groups_are_those_of_group_k_fold(sizes: list[int], num_folds: int) -> None:
    groups = [f"g{at}" for at, size in enumerate(sizes) for _ in range(size)]
    dataset = make_dataset(range(len(groups)), groups)
    splits = choose_splits(dataset, [name_of_folds(num_folds)], target="score")
    check_every_video_is_tested_once(dataset, splits)
    assert [dataset.num_sharing_group(split) for split in splits] == [0] * num_folds
    theirs = GroupKFold(num_folds).split(np.zeros(len(groups)), groups=groups)
    assert sorted(len(split.test) for split in splits) == sorted(len(test) for _, test in theirs)


@settings(max_examples=30, deadline=None)
@given(groups=st.lists(st.sampled_from("abcd"), min_size=4, max_size=20))
def test_leave_one_group_out_is_that_of_scikit_learn(groups: list[str]) -> None:
    groups = [*"abab", *(group for group in groups if group in "ab")]
    dataset = make_dataset(range(len(groups)), groups)
    splits = choose_splits(dataset, [LEAVE_ONE_GROUP_OUT], target="score")
    assert [split.name for split in splits] == ["group-a", "group-b"]
    theirs = LeaveOneGroupOut().split(np.zeros(len(groups)), groups=groups)
    for split, (train, test) in zip(splits, theirs, strict=True):
        assert split.train == tuple(f"v{at}" for at in train)
        assert split.test == tuple(f"v{at}" for at in test)


@pytest.mark.parametrize("groups", [None, list("aabbccddeeffgg")])
def test_folds_are_the_same_whatever_the_order_of_the_file(groups) -> None:
    dataset = make_dataset([5, 5, 5, 1, 2, 3, 4, 6, 7, 8, 9, 9, 9, 9], groups)
    turned = Dataset("mine", dataset.root, dataset.videos[::-1], {}, dataset.targets)
    for split, other in zip(
        choose_splits(dataset, ["3-fold"], target="score"),
        choose_splits(turned, ["3-fold"], target="score"),
        strict=True,
    ):
        assert set(split.test) == set(other.test)


def test_one_split_of_a_cross_validation_is_found_by_its_name() -> None:
    dataset = make_dataset(range(8), list("aabbccdd"))
    everything = choose_splits(dataset, ["2-fold", LEAVE_ONE_GROUP_OUT], target="score")
    for split in everything:
        assert choose_splits(dataset, [split.name], target="score") == [split]


def test_other_names_are_those_of_the_dataset() -> None:
    dataset = make_dataset(range(4))
    assert choose_splits(dataset, (), target="score") == [dataset.split("given")]
    assert choose_splits(dataset, ["given"], target="score") == [dataset.split("given")]


def test_a_video_without_a_group_is_a_group_of_its_own() -> None:
    dataset = make_dataset(range(8), ["a", "a", "a", "b", "b", "b", None, None])
    splits = choose_splits(dataset, ["2-fold"], target="score")
    check_every_video_is_tested_once(dataset, splits)
    assert [dataset.num_sharing_group(split) for split in splits] == [0, 0]
    assert [len(split.test) for split in splits] == [4, 4]


def test_one_group_is_no_group() -> None:
    dataset = make_dataset(range(6), ["a"] * 6)
    assert [len(split.test) for split in choose_splits(dataset, ["3-fold"], target="score")] == [2, 2, 2]


@pytest.mark.parametrize(
    ("names", "groups", "error", "message"),
    [
        (
            ["5-fold"],
            None,
            DatasetError,
            "5 folds of the 8 videos of mine that have a score: .* 2 to 4 folds",
        ),
        (["1-fold"], None, DatasetError, "1 folds of the 8 videos .* 2 to 4 folds"),
        (["fold-1-of-9"], None, DatasetError, "9 folds of the 8 videos"),
        (["fold-4-of-3"], None, UnknownName, r"unknown split of mine 'fold-4-of-3'\. .*fold-3-of-3"),
        (["fold-01-of-3"], None, UnknownName, r"unknown split of mine 'fold-01-of-3'\. Known: given"),
        (["4-fold"], "aaabbbcc", DatasetError, "whose 3 groups stay whole: .* Ask for fewer folds"),
        (
            [LEAVE_ONE_GROUP_OUT],
            None,
            DatasetError,
            "8 of 8 videos of mine have no group, .* 'v0'.*--folds 5",
        ),
        ([LEAVE_ONE_GROUP_OUT], "aaaaaaaa", DatasetError, "mine has only the group 'a': expected 2 or more"),
        (
            [LEAVE_ONE_GROUP_OUT],
            "aaabbbbc",
            DatasetError,
            "1 of 3 groups of mine have a single .* 'c': expected",
        ),
        (["group-z"], "aaabbbbb", UnknownName, r"unknown split of mine 'group-z'\. .*group-a, group-b"),
        (["2-fold", "fold-1-of-2"], None, DatasetError, "split 'fold-1-of-2' is named more than once"),
    ],
)
def test_what_cannot_be_split(names: list[str], groups: str | None, error: type, message: str) -> None:
    dataset = make_dataset(range(8), list(groups) if groups else None)
    with pytest.raises(error, match=message):
        choose_splits(dataset, names, target="score")


def test_fewer_than_two_folds() -> None:
    with pytest.raises(DatasetError, match="1 folds: expected 2 or more"):
        name_of_folds(1)


@pytest.mark.parametrize(
    ("own", "names", "mixed"),
    [
        ({"ball": ("v0", "v1"), "hoop": ("v2", "v3")}, ["fold-1-of-2", "fold-2-of-2"], ("ball", "hoop")),
        ({"ball": ("v0", "v1"), "hoop": ("v2", "v3")}, ["ball", "hoop"], ()),
        ({"random-0": ("v0", "v1"), "random-1": ("v1", "v2")}, ["fold-1-of-2"], ()),
        ({"official": ("v0", "v1")}, ["fold-1-of-2"], ()),
    ],
)
def test_folds_of_several_apparatus_mix_them(own: dict, names: list[str], mixed: tuple[str, ...]) -> None:
    splits = {name: Split(name, (train,), (test,)) for name, (train, test) in own.items()}
    videos = make_dataset(range(4)).videos
    dataset = Dataset("gym", Path("gym"), videos, splits, (Target("score"),), default_splits=tuple(splits))
    assert mixed_tasks(dataset, names) == mixed
