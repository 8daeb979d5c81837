"""UI-PRMD: repetitions from the names of the files, right and wrong; qualities of the squats; an import."""

from pathlib import Path

import numpy as np
import pytest

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.importing.feature_sources import FeatureFiles
from aqa_pipeline.importing.import_features import import_features
from aqa_pipeline.records import Dataset
from aqa_pipeline.store import Store

RIGHT, WRONG = "Segmented Movements/Vicon/Angles", "Incorrect Segmented Movements/Vicon/Angles"


def write(root: Path, *, exercises: tuple[int, ...] = (1,), subjects: int = 5, repetitions: int = 2) -> Path:
    for folder, ending in ((RIGHT, ""), (WRONG, "_inc")):
        (root / folder).mkdir(parents=True)
        for exercise in exercises:
            for subject in range(1, subjects + 1):
                for repetition in range(1, repetitions + 1):
                    name = f"m{exercise:02d}_s{subject:02d}_e{repetition:02d}_angles{ending}.txt"
                    (root / folder / name).write_text(f"{subject},{repetition}.5\n1,2\n")
    return root


def load(root: Path) -> Dataset:
    return load_dataset("ui-prmd", root)


def test_repetitions_right_and_wrong_and_their_subjects(tmp_path: Path) -> None:
    dataset = load(write(tmp_path))
    assert (dataset.problems, dataset.notes) == ((), ())
    assert len(dataset.videos) == 2 * 5 * 2
    assert dataset.video("m01_s03_e02").labels == {"correct": 1.0}
    assert dataset.video("m01_s03_e02_inc").labels == {"correct": 0.0}
    assert dataset.video("m01_s03_e02_inc").group == "s03"
    assert [target.name for target in dataset.targets] == ["correct"]


def test_folds_keep_subjects_whole_in_all_exercises_and_in_each(tmp_path: Path) -> None:
    dataset = load(write(tmp_path, exercises=(1, 10)))
    assert dataset.default_splits == tuple(f"all-{at}" for at in range(5))
    assert {name.split("-")[0] for name in dataset.splits} == {"all", "m01", "m10"}
    for split in dataset.splits.values():
        assert dataset.num_sharing_group(split) == 0
    tested = [i for split in dataset.splits_named(["m10"]) for i in split.test]
    assert sorted(tested) == sorted(v.video_id for v in dataset.videos if v.video_id.startswith("m10"))


def test_one_folder_of_any_sensor_is_enough_and_two_are_the_same_repetition(tmp_path: Path) -> None:
    for folder, name in {
        "Segmented Movements/Kinect/Positions": "m02_s01_e01_positions.txt",
        "segmented movements/Kinect/Angles": "m02_s01_e01_angles.txt",
        "Incorrect Segmented Movements/Kinect/Positions": "m02_s02_e01_positions_inc.txt",
    }.items():
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / name).touch()
        (tmp_path / folder / "README.txt").touch()
    assert [video.video_id for video in load(tmp_path).videos] == ["m02_s01_e01", "m02_s02_e01_inc"]


def test_the_90_qualities_are_those_of_the_squats_that_were_not_left_out(tmp_path: Path) -> None:
    write(tmp_path, subjects=10, repetitions=10)
    (tmp_path / "Labels_Correct.csv").write_text("".join(f"{0.9 + at / 1000}\n" for at in range(90)))
    (tmp_path / "Labels_Incorrect.csv").write_text("".join(f"{0.5 + at / 1000}\n" for at in range(90)))
    dataset = load(tmp_path)
    assert dataset.problems == ()
    quality = {v.video_id: v.labels["quality"] for v in dataset.videos if "quality" in v.labels}
    assert len(quality) == 180
    first = {"m01_s01_e02": 0.9, "m01_s01_e10": 0.908, "m01_s02_e02": 0.909, "m01_s10_e10_inc": 0.589}
    assert {video_id: quality[video_id] for video_id in first} == pytest.approx(first)
    # As Prepare_Data_for_NN.m lists them, from 1: [2:10 12:20 22:30 32:40 42:50 51:60 62:63 65:70 72:80 82:84
    # 86:90 91:100]
    starts = [(2, 10), (12, 20), (22, 30), (32, 40), (42, 50), (51, 60), (62, 63), (65, 70), (72, 80)]
    listed = [n for low, high in (*starts, (82, 84), (86, 90), (91, 100)) for n in range(low, high + 1)]
    ids = [f"m01_s{(n - 1) // 10 + 1:02d}_e{(n - 1) % 10 + 1:02d}" for n in listed]
    assert [quality[video_id] for video_id in ids] == pytest.approx([0.9 + at / 1000 for at in range(90)])


@pytest.mark.parametrize(
    ("text", "problem"),
    [("0.5\n" * 89, "has 89 lines, expected 90"), ("0.5\n" * 89 + "good\n", "'good' is not a finite number")],
)
def test_strange_qualities_are_a_problem(tmp_path: Path, text: str, problem: str) -> None:
    (write(tmp_path) / "Labels_Correct.csv").write_text(text)
    dataset = load(tmp_path)
    assert len(dataset.problems) == 1
    assert problem in dataset.problems[0]
    assert [target.name for target in dataset.targets] == ["correct"]


def test_the_text_files_are_imported_as_a_stream(tmp_path: Path) -> None:
    dataset = load(write(tmp_path))
    folders = (tmp_path / RIGHT, tmp_path / WRONG)
    store = Store(tmp_path / "store")
    report = import_features(dataset, store, FeatureFiles("angles", "folder", folders))
    assert report.complete
    assert report.spec is not None
    for name, expected in {"m01_s04_e02": [4, 2.5], "m01_s04_e02_inc": [4, 2.5]}.items():
        np.testing.assert_array_equal(store.read("ui-prmd", name, report.spec).features[0], expected)


def test_no_movement(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"(?s)no m01_s01_e01_angles\.txt below .*University of Idaho"):
        load(tmp_path)
