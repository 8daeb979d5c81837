"""Splits of a user's own folder: every video is tested once, and groups stay together."""

from pathlib import Path

import pytest

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.errors import UnknownName
from aqa_pipeline.records import Dataset


def folder_of(root: Path, table: str) -> Dataset:
    (root / "scores.csv").write_text(table)
    return load_dataset("folder", root)


def ids(dataset: Dataset) -> list[str]:
    return [video.video_id for video in dataset.videos]


@pytest.mark.parametrize(
    ("num_videos", "sizes"), [(2, (1, 1)), (4, (2, 2)), (7, (3, 2, 2)), (12, (3, 3, 2, 2, 2))]
)
def test_every_video_is_tested_once(tmp_path: Path, num_videos: int, sizes: tuple[int, ...]) -> None:
    dataset = folder_of(tmp_path, "video,score\n" + "".join(f"v{i},5\n" for i in range(num_videos)))
    assert (
        dataset.default_splits
        == tuple(dataset.splits)
        == tuple(f"random-{fold}" for fold in range(len(sizes)))
    )
    splits = dataset.splits.values()
    assert tuple(len(split.test) for split in splits) == sizes
    assert sorted(video_id for split in splits for video_id in split.test) == sorted(ids(dataset))
    for split in splits:
        assert sorted((*split.train, *split.test)) == sorted(ids(dataset))


def test_grouped_splits_test_every_group_once(tmp_path: Path) -> None:
    """Three athletes of three videos, and two videos of nobody, which stand alone."""
    rows = "".join(f"v{i},5,{'abc'[i % 3] if i < 9 else ''}\n" for i in range(11))
    dataset = folder_of(tmp_path, "video,score,group\n" + rows)
    group = {video.video_id: video.group or video.video_id for video in dataset.videos}
    splits = dataset.splits_named(["grouped"])
    assert [len(split.test) for split in splits] == [3, 3, 3, 2]
    assert sorted(video_id for split in splits for video_id in split.test) == sorted(ids(dataset))
    for split in splits:
        assert not {group[i] for i in split.train} & {group[i] for i in split.test}


def test_four_athletes_are_four_splits(tmp_path: Path) -> None:
    rows = "".join(f"v{i:02d},5,{'abcd'[i % 4]}\n" for i in range(12))
    splits = folder_of(tmp_path, "video,score,group\n" + rows).splits_named(())
    assert [(split.name, len(split.test)) for split in splits] == [
        (f"grouped-{fold}", 3) for fold in range(4)
    ]


def test_groups_are_kept_apart_by_default(tmp_path: Path) -> None:
    """At random, nearly every test video has its athlete in training."""
    rows = "".join(f"v{i:02d},5,{'abcde'[i % 5]}\n" for i in range(20))
    dataset = folder_of(tmp_path, "video,score,group\n" + rows)
    assert dataset.default_splits == tuple(f"grouped-{seed}" for seed in range(5))
    assert [split.name for split in dataset.splits_named(())] == list(dataset.default_splits)
    at_random = dataset.splits_named(["random"])
    assert [split.name for split in at_random] == [f"random-{seed}" for seed in range(5)]
    assert [dataset.num_sharing_group(split) for split in dataset.splits_named(["grouped"])] == [0] * 5
    assert all(dataset.num_sharing_group(split) == len(split.test) for split in at_random)
    assert [split.name for split in dataset.splits_named(["random-3", "grouped-1"])] == [
        "random-3",
        "grouped-1",
    ]
    with pytest.raises(UnknownName, match=r"unknown split of .* 'given'"):
        dataset.splits_named(["given"])


def test_two_groups_are_two_splits(tmp_path: Path) -> None:
    dataset = folder_of(tmp_path, "video,score,group\na,5,x\nb,5,x\nc,5,y\nd,5,y\n")
    assert {len(split.test) for split in dataset.splits_named(())} == {2}


def test_one_group_is_no_group(tmp_path: Path) -> None:
    dataset = folder_of(tmp_path, "video,score,group\n" + "".join(f"v{i},5,a\n" for i in range(6)))
    assert dataset.default_splits == tuple(f"random-{fold}" for fold in range(3))


@pytest.mark.parametrize("num_videos", [0, 1])
def test_too_few_videos_have_no_split(tmp_path: Path, num_videos: int) -> None:
    dataset = folder_of(tmp_path, "video,score\nbad,nan\n" + "a,1\n" * num_videos)
    assert (dict(dataset.splits), dataset.default_splits) == ({}, ())
    assert len(dataset.problems) == 1


def test_one_sided_split_column_is_reported(tmp_path: Path) -> None:
    dataset = folder_of(tmp_path, "video,score,split\na,1,train\nb,2,train\nc,3,\n")
    assert "given" not in dataset.splits
    assert "random-0" in dataset.splits
    assert "names only one of train and test" in dataset.problems[0]
