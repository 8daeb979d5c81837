"""MTL-AQA: label files as they are released, and those that cannot be used."""

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.records import Dataset

LONG, SHORT, OTHER = (1, 1), (1, 2), (26, 7)
ANNOTATIONS = "final_annotations_dict.pkl"
AUGMENTED = "augmented_final_annotations_dict.pkl"


def entry(
    start: int, end: int, *, score: float = 81.6, difficulty: float = 3.2, **more: Any
) -> dict[str, Any]:
    return {"start_frame": start, "end_frame": end, "final_score": score, "difficulty": difficulty, **more}


def entries() -> dict[tuple[int, int], dict[str, Any]]:
    return {LONG: entry(120, 230), SHORT: entry(300, 360), OTHER: entry(0, 30)}


def dump(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(content, protocol=3))


def write_labels(
    folder: Path,
    *,
    annotations: dict[Any, Any] | None = None,
    train: object = (LONG, SHORT),
    test: object = (OTHER,),
    name: str = ANNOTATIONS,
) -> None:
    dump(folder / name, entries() if annotations is None else annotations)
    for side, keys in (("train", train), ("test", test)):
        dump(folder / f"{side}_split_0.pkl", list(keys) if isinstance(keys, tuple) else keys)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_labels(tmp_path)
    return tmp_path


def load(root: Path) -> Dataset:
    return load_dataset("mtl-aqa", root)


@pytest.mark.parametrize(
    "folder", [".", "info", "annotations", "MTL-AQA_dataset_release/Ready_2_Use/MTL-AQA_split_0_data"]
)
@pytest.mark.parametrize("name", [ANNOTATIONS, "final_annotations_dict_with_dive_number.pkl"])
def test_label_folders(tmp_path: Path, folder: str, name: str) -> None:
    write_labels(tmp_path / folder, name=name)
    dataset = load(tmp_path)
    assert [video.video_id for video in dataset.videos] == ["01_01", "01_02", "26_07"]
    assert dict(dataset.videos[0].labels) == {
        "score": 81.6,
        "execution": pytest.approx(25.5),
        "difficulty": 3.2,
    }
    assert [video.group for video in dataset.videos] == ["01", "01", "26"]


def with_marks(**changes: Any) -> dict[Any, Any]:
    marks = np.array([8.0, 8.5, 8.5, 8.5, 9.0, 8.0, 9.5])
    return {key: row | {"judge_scores": marks} | changes for key, row in entries().items()}


def test_marks_become_targets_and_their_file_is_preferred(root: Path) -> None:
    dump(root / AUGMENTED, with_marks())
    dataset = load(root)
    assert [target.name for target in dataset.targets[3:]] == [f"judge-{judge}" for judge in range(1, 8)]
    assert [dataset.videos[0].labels[f"judge-{judge}"] for judge in (1, 2, 7)] == [8.0, 8.5, 9.5]
    assert {(target.low, target.high) for target in dataset.targets[3:]} == {(0.0, 10.0)}


def test_the_known_slip_of_the_pen_is_mended_and_no_other(tmp_path: Path) -> None:
    marks = np.array([2.5, 4, 4, 45, 3.5, 5, 4])
    rows = {key: entry(0, 30, judge_scores=marks) for key in ((4, 49), (4, 50), (4, 51))}
    rows[4, 51]["judge_scores"] = np.array([2.5, 4, 4, 4, 3.5, 5, 4])
    write_labels(tmp_path, annotations=rows, train=((4, 49),), test=((4, 51),), name=AUGMENTED)
    dataset = load(tmp_path)
    assert dataset.video("04_49").labels["judge-4"] == 4.5
    assert dataset.problems == (
        f"{AUGMENTED} (4, 50): the mark of judge 4, 45, is not within 0 to 10; the video has no such label",
    )
    other = dataset.video("04_50").labels
    assert "judge-4" not in other
    assert (other["judge-3"], other["judge-5"], other["score"]) == (4.0, 3.5, 81.6)


@pytest.mark.parametrize(
    ("changes", "left", "reason"),
    [
        ({"final_score": None}, {"difficulty"}, None),
        ({"final_score": float("nan")}, {"difficulty"}, "final_score 'nan' is not a finite number"),
        ({"final_score": [1]}, {"difficulty"}, "final_score '[1]' is not a finite number"),
        ({"difficulty": 0.0}, {"score"}, "difficulty 0 is not above 0"),
    ],
)
def test_a_missing_score_costs_itself_and_what_is_made_of_it(
    tmp_path: Path, changes: dict[str, Any], left: set[str], reason: str | None
) -> None:
    write_labels(tmp_path, annotations=entries() | {SHORT: entry(0, 30) | changes})
    dataset = load(tmp_path)
    assert set(dataset.video("01_02").labels) == left
    problem = f"{ANNOTATIONS} (1, 2): {reason}; the video has no such label"
    assert dataset.problems == (() if reason is None else (problem,))
    assert (
        "1 of 3 videos have no execution: 01_02. They can be extracted"
        in dataset.notes[1 - len(left & {"score"})]
    )
    assert "01_02" in dataset.split("official").train


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (entry(30, 30), "start_frame 30 is not before end_frame 30"),
        (entry(-1, 30), "start_frame '-1' is not a whole number"),
        (
            entry(0, 30, score=float("nan"), difficulty=0.0),
            "final_score 'nan' is not a finite number; difficulty 0 is not above 0",
        ),
        ({"end_frame": 30}, "expected a dict with start_frame, end_frame, final_score, difficulty"),
        ("text", "expected a dict with"),
    ],
)
def test_a_bad_entry_is_a_problem_and_the_rest_goes_on(tmp_path: Path, row: object, reason: str) -> None:
    write_labels(tmp_path, annotations=entries() | {SHORT: row})
    dataset = load(tmp_path)
    assert [video.video_id for video in dataset.videos] == ["01_01", "26_07"]
    with pytest.raises(AssertionError, match=rf"{ANNOTATIONS} \(1, 2\): {reason}"):
        raise AssertionError(dataset.problems[0])
    assert dataset.problems[1] == "train_split_0.pkl entry 2: dive 01_02 has no usable labels"


@pytest.mark.parametrize(
    ("marks", "reason"),
    [
        ([8.0] * 6, "6 judge_scores, expected 7"),
        (8.0, "judge_scores 8.0 are not 7 marks"),
        ("abcdefg", "'a' is not"),
    ],
)
def test_bad_marks(tmp_path: Path, marks: object, reason: str) -> None:
    rows = with_marks()
    rows[SHORT]["judge_scores"] = marks
    write_labels(tmp_path, annotations=rows, name=AUGMENTED)
    assert reason in load(tmp_path).problems[0]


def test_an_entry_that_names_no_dive(tmp_path: Path) -> None:
    write_labels(tmp_path, annotations=entries() | {"total": 3}, train=(LONG, SHORT, 5))
    assert load(tmp_path).problems == (
        f"{ANNOTATIONS} total: 'total' is not (broadcast, dive)",
        "train_split_0.pkl entry 3: 5 is not (broadcast, dive)",
    )


def test_a_dive_on_both_sides(tmp_path: Path) -> None:
    write_labels(tmp_path, test=(OTHER, LONG))
    with pytest.raises(DatasetError, match=r"'official' trains and tests on the same videos: \['01_01'\]"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"annotations": {}}, "holds no dict"),
        ({"annotations": {LONG: {}}}, "has no usable entry; the first says"),
        ({"train": {"a": 1}}, "train_split_0.pkl holds no list"),
        ({"test": ((9, 9),)}, "test_split_0.pkl names no labeled dive"),
    ],
)
def test_files_of_another_kind(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    write_labels(tmp_path, **changes)
    with pytest.raises(DatasetError, match=message):
        load(tmp_path)


def test_all_missing_parts_are_in_one_message(tmp_path: Path) -> None:
    dump(tmp_path / "test_split_0.pkl", [OTHER])
    with pytest.raises(DatasetError) as error:
        load(tmp_path)
    message = str(error.value)
    assert (
        "no train_split_0.pkl and no augmented_final_annotations_dict.pkl (or final_annotations_dict.pkl"
        in message
    )
    assert "test_split_0.pkl" not in message.split("Expected:")[0]
    assert "ParitoshParmar/MTL-AQA" in message


class Bomb:
    """A pickle that makes a file when it is read carelessly."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("name", ["train_split_0.pkl", "test_split_0.pkl", ANNOTATIONS])
def test_a_malicious_pickle_is_refused_and_runs_nothing(root: Path, name: str) -> None:
    content = Bomb(root / "ran") if "split" in name else {LONG: entry(0, 30, score=Bomb(root / "ran"))}
    dump(root / name, content)
    with pytest.raises(DatasetError, match=rf"{name} cannot be read without running code: it uses .*mkdir"):
        load(root)
    assert not (root / "ran").exists()
    pickle.loads((root / name).read_bytes())  # it does bite
    assert (root / "ran").is_dir()
