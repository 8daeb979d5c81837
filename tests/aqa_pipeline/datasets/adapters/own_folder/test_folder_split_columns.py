"""Splits that a user's own table names: the columns split, split:<name> and fold."""

from pathlib import Path

import pytest

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.records import Dataset


def folder_of(root: Path, *lines: str) -> Dataset:
    (root / "scores.csv").write_text("\n".join(lines) + "\n")
    return load_dataset("folder", root)


def test_each_fold_is_the_test_set_of_a_split(tmp_path: Path) -> None:
    dataset = folder_of(
        tmp_path, "video,score,fold", "a,1,10", "b,2,2", "c,3,Ann", "d,4,10", "e,5,2", "f,6,Ann", "g,7,"
    )
    assert dataset.problems == ()
    assert list(dataset.splits) == ["fold-2", "fold-10", "fold-Ann"]  # numbers by value, then the rest
    assert dataset.default_splits == ("fold-2", "fold-10", "fold-Ann")
    assert dataset.split("fold-10").test == ("a", "d")
    assert dataset.split("fold-10").train == ("b", "c", "e", "f")
    for split in dataset.splits.values():
        assert sorted((*split.train, *split.test)) == list("abcdef")  # `g` is in no fold, so in no split
    tested = [video_id for split in dataset.splits_named(["fold"]) for video_id in split.test]
    assert sorted(tested) == list("abcdef")


def test_videos_without_a_fold_are_told(tmp_path: Path) -> None:
    dataset = folder_of(tmp_path, "video,score,fold", "a,1,x", "b,2,y", "c,3,", "d,4,")
    assert "without a fold, and so in no split of the column fold: 2 videos (c, d)" in dataset.notes
    whole = folder_of(tmp_path, "video,score,fold", "a,1,x", "b,2,y")
    assert not any("without a fold" in note for note in whole.notes)


def test_a_kind_of_folds_may_have_dashes(tmp_path: Path) -> None:
    dataset = folder_of(tmp_path, "video,score,fold", "a,1,2024-01", "b,2,2024-02", "c,3,2024-02")
    assert [split.name for split in dataset.splits_named(["fold"])] == ["fold-2024-01", "fold-2024-02"]


def test_several_named_splits_in_one_file(tmp_path: Path) -> None:
    dataset = folder_of(
        tmp_path,
        "video,score,split:First,split:second",
        "a,1,train,test",
        "b,2,TEST,train",
        "c,3,,train",
        "d,4,train,",
    )
    assert dataset.problems == ()
    assert list(dataset.splits) == ["first", "second"]  # columns are read in lower case
    assert dataset.default_splits == ("first", "second")
    assert (dataset.split("first").train, dataset.split("first").test) == (("a", "d"), ("b",))
    assert (dataset.split("second").train, dataset.split("second").test) == (("b", "c"), ("a",))


def test_split_comes_before_named_splits_and_folds(tmp_path: Path) -> None:
    header = "video,score,group,fold,split:a,split"
    dataset = folder_of(tmp_path, header, "u,1,x,1,test,train", "v,2,y,2,train,test", "w,3,y,2,,train")
    assert dataset.default_splits == ("given",)
    assert list(dataset.splits) == ["given", "a", "fold-1", "fold-2", "grouped-0", "grouped-1"]


def test_named_splits_come_before_folds(tmp_path: Path) -> None:
    dataset = folder_of(tmp_path, "video,score,fold,split:a", "u,1,1,test", "v,2,2,train")
    assert dataset.default_splits == ("a",)


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("split:0", "val", "split:0 'val' is neither train nor test, nor empty for neither set"),
        ("split", "3", "split '3' is neither train nor test"),
        ("fold", "a\x00b", "fold 'a\\x00b' holds unprintable characters: expected printable text"),
        ("fold", "x" * 300, "is longer than 200 bytes"),
        ("fold", "1-of-5", "names the split 'fold-1-of-5', a name that `aqa` gives to splits of its own"),
    ],
)
def test_a_wrong_value_costs_its_row(tmp_path: Path, column: str, value: str, reason: str) -> None:
    right = ("train", "test", "train") if column != "fold" else ("1", "2", "2")
    rows = [f"{name},1,{place}" for name, place in zip("abc", right, strict=True)]
    dataset = folder_of(tmp_path, f"video,score,{column}", *rows, f"x,1,{value}")
    assert [video.video_id for video in dataset.videos] == ["a", "b", "c"]
    (problem,) = dataset.problems
    assert problem.startswith("scores.csv line 5: ")
    assert reason in problem
    assert dataset.splits  # of the rows that can be used


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("split:", "column 'split:' names no split: expected a name after the colon, such as split:first"),
        ("split:grouped-0", "column 'split:grouped-0' names the split 'grouped-0', a name that `aqa` gives"),
        ("split:group-a", "names the split 'group-a', a name that `aqa` gives to splits of its own"),
        ("split:" + "x" * 300, "is longer than 200 bytes"),
    ],
)
def test_a_column_whose_name_no_split_can_have(tmp_path: Path, column: str, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        folder_of(tmp_path, f"video,score,{column}", "a,1,train", "b,2,test")


@pytest.mark.parametrize(
    ("column", "values", "problem"),
    [
        ("fold", "11", "column fold has one fold, '1': expected two or more different labels"),
        ("split:a", ("test", ""), "column split:a names only one of train and test, test: expected both"),
    ],
)
def test_a_column_without_a_usable_split(
    tmp_path: Path, column: str, values: tuple[str, str], problem: str
) -> None:
    dataset = folder_of(tmp_path, f"video,score,{column}", f"a,1,{values[0]}", f"b,2,{values[1]}")
    assert dataset.problems == (problem,)
    assert dataset.default_splits == ("random-0", "random-1")


def test_two_columns_of_one_name(tmp_path: Path) -> None:
    dataset = folder_of(tmp_path, "video,score,split,split:given", "a,1,train,test", "b,2,test,train")
    assert dataset.problems == ("column split:given names the split 'given', which another column has too",)
    assert dataset.split("given").train == ("a",)


def test_real_tables_name_their_splits(shared: Path) -> None:
    if not (shared / "real").is_dir():
        pytest.skip("the test data has no folder real")
    squats = load_dataset("folder", shared / "real" / "ui_prmd_squat")
    assert squats.problems == ()
    sizes = {name: (len(split.train), len(split.test)) for name, split in squats.splits.items()}
    assert sizes == {"0": (124, 56), "1": (124, 56), "2": (124, 56)}
    dives = load_dataset("folder", shared / "real" / "unlv_dive")
    assert [target.name for target in dives.targets] == ["score", "difficulty"]
    assert (len(dives.split("given").train), len(dives.split("given").test)) == (300, 70)
