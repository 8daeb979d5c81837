"""JIGSAWS: label files as released, one user or one supertrial left out, the folds of MUSDL."""

import pickle
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.datasets.checking.check import check_dataset
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.records import Dataset

USERS = {"B": "N", "C": "I", "D": "E"}
ITEMS = ("tissue", "needle", "motion", "flow", "overall", "quality")


def line(task: str, user: str, number: int) -> str:
    marks = [1 + (ord(user) + number + at) % 5 for at in range(6)]
    return f"{task}_{user}{number:03d}\t\t{USERS[user]}\t{sum(marks)}\t\t" + "\t".join(map(str, marks))


def write_labels(root: Path, task: str, trials: Mapping[str, int], *, more: str = "") -> None:
    """Write the label file of a task with trials 1, 2, ... of each user; it ends with an empty line."""
    folder = root / task
    folder.mkdir(parents=True, exist_ok=True)
    lines = [line(task, user, number) for user, most in trials.items() for number in range(1, most + 1)]
    (folder / f"meta_file_{task}.txt").write_text("\n".join([*lines, more, ""]))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_labels(tmp_path, "Suturing", {"B": 3, "C": 3, "D": 2})
    write_labels(tmp_path, "Needle_Passing", {"B": 2, "C": 1})
    write_labels(tmp_path, "Knot_Tying", {"B": 2, "C": 2})
    return tmp_path


def load(root: Path) -> Dataset:
    return load_dataset("jigsaws", root)


def test_labels_targets_and_groups(root: Path) -> None:
    dataset = load(root)
    assert dataset.problems == ()
    assert len(dataset.videos) == 8 + 3 + 4
    assert [target.name for target in dataset.targets] == ["total", *ITEMS]
    assert (dataset.target().low, dataset.target().high) == (6.0, 30.0)
    assert {(target.low, target.high) for target in dataset.targets[1:]} == {(1.0, 5.0)}
    video = dataset.video("Suturing_B002")
    assert [video.labels[item] for item in ITEMS] == [4, 5, 1, 2, 3, 4]
    assert video.labels["total"] == 19
    assert video.group == "B"


def test_one_user_is_left_out_in_a_task_and_in_all_tasks(root: Path) -> None:
    dataset = load(root)
    assert dataset.default_splits == ("louo-all-B", "louo-all-C", "louo-all-D")
    split = dataset.split("louo-all-C")
    assert len(split.train) + len(split.test) == len(dataset.videos)
    assert {dataset.video(i).group for i in split.test} == {"C"}
    assert dataset.num_sharing_group(split) == 0
    knots = dataset.splits_named(["louo-knot-tying"])
    assert [split.name for split in knots] == ["louo-knot-tying-B", "louo-knot-tying-C"]
    assert knots[0].test == ("Knot_Tying_B001", "Knot_Tying_B002")
    assert knots[0].train == ("Knot_Tying_C001", "Knot_Tying_C002")


def test_one_supertrial_is_left_out(root: Path) -> None:
    dataset = load(root)
    splits = dataset.splits_named(["loso-suturing"])
    assert [split.test for split in splits] == [
        ("Suturing_B001", "Suturing_C001", "Suturing_D001"),
        ("Suturing_B002", "Suturing_C002", "Suturing_D002"),
        ("Suturing_B003", "Suturing_C003"),
    ]
    assert all(len(split.train) + len(split.test) == 8 for split in splits)
    assert dataset.num_sharing_group(splits[0]) == 3


def test_a_split_that_would_test_one_trial_is_left_out_and_said(root: Path) -> None:
    dataset = load(root)
    without = ("louo-needle-passing-C", "loso-needle-passing-2")
    assert not {*without} & {*dataset.splits}
    assert dataset.notes == tuple(
        f"there is no split {name}: it would test a single trial, which has no rank" for name in without
    )


@pytest.mark.parametrize("ending", ["", "_capture1"])
@pytest.mark.parametrize("at", ["splits.pkl", "data/info/splits.pkl"])
def test_the_folds_of_musdl_are_read_if_present(root: Path, at: str, ending: str) -> None:
    folds = {"Knot_Tying": [[f"Knot_Tying_{user}00{number}{ending}"] for user in "BC" for number in (1, 2)]}
    (root / at).parent.mkdir(parents=True, exist_ok=True)
    (root / at).write_bytes(pickle.dumps(folds))
    dataset = load(root)
    assert dataset.problems == ()
    splits = dataset.splits_named(["musdl-knot-tying"])
    assert [split.name for split in splits] == [f"musdl-knot-tying-{number}" for number in range(4)]
    assert splits[2].test == ("Knot_Tying_C001",)
    assert splits[2].train == ("Knot_Tying_B001", "Knot_Tying_B002", "Knot_Tying_C002")
    assert not any(name.startswith("musdl") for name in dataset.default_splits)


@pytest.mark.parametrize(
    ("folds", "problem"),
    [
        ([["Suturing_B001"]], r"splits\.pkl holds no dict \{task: lists of trials\}"),
        ({"Suturing": [[1, 2]]}, r"splits\.pkl holds no dict"),
        ({"Suturing": [["Suturing_B001"], ["Suturing_H002"]]}, "fold 1: 'Suturing_H002' has no labels"),
        ({"Suturing": [["Suturing_B001"], ["Suturing_B001", "Suturing_C001"]]}, "are in another fold too"),
    ],
)
def test_strange_folds_are_problems(root: Path, folds: object, problem: str) -> None:
    (root / "splits.pkl").write_bytes(pickle.dumps(folds))
    dataset = load(root)
    assert re.search(problem, "; ".join(dataset.problems))
    assert not any(name.startswith("musdl") for name in dataset.splits)


def test_videos_of_the_left_camera_and_frames_at_30_fps(root: Path) -> None:
    video = root / "Suturing/video/Suturing_B001_capture1.avi"
    video.parent.mkdir()
    video.touch()
    (video.parent / "Suturing_B002_capture2.avi").touch()
    picture = root / "frames/Knot_Tying_B001_capture1/0001.jpg"
    picture.parent.mkdir(parents=True)
    picture.touch()
    dataset = load(root)
    assert (dataset.video("Suturing_B001").path, dataset.video("Suturing_B001").fps) == (video, None)
    assert dataset.video("Suturing_B002").path == video.with_name("Suturing_B002_capture1.avi")
    assert dataset.video("Knot_Tying_B001").path == picture.parent
    assert dataset.video("Knot_Tying_B001").fps == 30.0
    assert len(check_dataset(dataset).files.missing) == 13


def test_one_task_is_enough_also_in_the_folder_of_the_release(tmp_path: Path) -> None:
    write_labels(tmp_path / "JIGSAWS", "Suturing", {"B": 2, "C": 2})
    dataset = load(tmp_path)
    assert {video.video_id[:8] for video in dataset.videos} == {"Suturing"}
    assert dataset.split("louo-all-B").test == dataset.split("louo-suturing-B").test


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ("Suturing_E001\tE\t17\t3\t2\t3\t3\t3", "expected name skill sum and six marks, got 8 words"),
        ("Suturing_1 E 17 3 2 3 3 3 3", "'Suturing_1' is not TASK_B001"),
        ("Knot_Tying_E001 E 17 3 2 3 3 3 3", "'Knot_Tying_E001' is not of the task Suturing"),
        ("Suturing_E001 E x 3 2 3 3 3 3", "total 'x' is not a finite number; the video has no such label"),
    ],
)
def test_a_bad_line_is_a_problem_and_the_rest_goes_on(tmp_path: Path, more: str, reason: str) -> None:
    write_labels(tmp_path, "Suturing", {"B": 2, "C": 2}, more=more)
    dataset = load(tmp_path)
    assert len(dataset.problems) == 1
    assert "meta_file_Suturing.txt line 5" in dataset.problems[0]
    assert reason in dataset.problems[0]
    assert dataset.split("louo-suturing-B").train[:2] == ("Suturing_C001", "Suturing_C002")


def test_no_label_file(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"(?s)no meta_file_TASK.txt in .*Johns Hopkins"):
        load(tmp_path)
