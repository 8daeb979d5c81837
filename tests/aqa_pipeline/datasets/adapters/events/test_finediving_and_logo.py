"""FineDiving and LOGO: pickled labels by event and number, as released; the official split."""

import os
import pickle
import re
from pathlib import Path

import numpy as np
import pytest

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.datasets.checking.check import check_dataset
from aqa_pipeline.errors import DatasetError

EVENTS = {"WorldCup2021_Men3m_r1": 3, "FullMen10m_Tokyo2020_2": 2, "01": 2}
KEYS = [(event, number) for event, count in EVENTS.items() for number in range(count)]
FINEDIVING, LOGO = "Annotations", "LOGO Anno&Split"


def dive(at: int) -> list[object]:
    """In the order of the release: dive number, score, difficulty, frames of transitions, label per frame."""
    return ["107B", 50.0 + at, 2.5, np.array([30.0, 70.0]), np.arange(3)]


def swim(at: int) -> list[object]:
    return ["tech" if at % 2 else "free", 80.25 + at, 0.0, [76, 141], [12, 12, 12]]


def dump(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(content))


@pytest.fixture(params=["finediving", "logo"])
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def root(name: str, tmp_path: Path) -> Path:
    folder, entry, labels, number = {
        "finediving": (FINEDIVING, dive, "fine-grained_annotation_aqa", ""),
        "logo": (LOGO, swim, "anno_dict", "3"),
    }[name]
    dump(tmp_path / folder / f"{labels}.pkl", {key: entry(at) for at, key in enumerate(KEYS)})
    dump(tmp_path / folder / f"train_split{number}.pkl", KEYS[:5])
    dump(tmp_path / folder / f"test_split{number}.pkl", KEYS[5:])
    return tmp_path


def test_labels_groups_and_the_official_split(name: str, root: Path) -> None:
    dataset = load_dataset(name, root)
    assert dataset.problems == ()
    assert dataset.notes == ()
    assert dataset.default_splits == ("official",)
    official = dataset.split("official")
    assert (len(official.train), official.test) == (5, ("01_0", "01_1"))
    assert dataset.video("FullMen10m_Tokyo2020_2_1").group == "FullMen10m_Tokyo2020_2"
    assert dataset.num_sharing_group(dataset.split("grouped-0")) == 0


def test_execution_is_the_score_by_the_difficulty(tmp_path: Path) -> None:
    dump(tmp_path / FINEDIVING / "fine-grained_annotation_aqa.pkl", {key: dive(1) for key in KEYS})
    dump(tmp_path / "train_test_split/train_split.pkl", KEYS[:5])
    dump(tmp_path / "train_test_split/test_split.pkl", KEYS[5:])
    labels = load_dataset("finediving", tmp_path).video("01_0").labels
    assert labels == {"score": 51.0, "difficulty": 2.5, "execution": pytest.approx(20.4)}


def test_the_score_of_a_group_lies_in_0_to_100(tmp_path: Path) -> None:
    for file, content in {
        "anno_dict": {key: swim(0) for key in KEYS},
        "train_split": KEYS[:5],
        "test_split": KEYS[5:],
    }.items():
        dump(tmp_path / f"{file}.pkl", content)
    dataset = load_dataset("logo", tmp_path)
    assert dataset.video("01_1").labels == {"score": 80.25}
    assert (dataset.target().low, dataset.target().high) == (0.0, 100.0)


def test_two_halves_of_different_splits_are_refused(tmp_path: Path) -> None:
    dump(tmp_path / "anno_dict.pkl", {key: swim(0) for key in KEYS})
    dump(tmp_path / "train_split3.pkl", KEYS[:5])
    dump(tmp_path / "test_split.pkl", KEYS[5:])
    with pytest.raises(DatasetError, match=r"train_split3\.pkl and .*test_split\.pkl are of two splits"):
        load_dataset("logo", tmp_path)


def test_folders_of_pictures_by_event_and_number(name: str, root: Path) -> None:
    expected = {"finediving": "FINADiving_MTL_256s", "logo": "Video_result"}[name]
    picture = root / expected / "WorldCup2021_Men3m_r1/1/00489.jpg"
    picture.parent.mkdir(parents=True)
    picture.touch()
    dataset = load_dataset(name, root)
    found = dataset.video("WorldCup2021_Men3m_r1_1")
    assert (found.path, found.fps) == (picture.parent, 25.0)
    absent = dataset.video("WorldCup2021_Men3m_r1_2")
    assert (absent.path, absent.fps) == (picture.parents[1] / "2", None)
    assert len(check_dataset(dataset).files.missing) == len(KEYS) - 1


@pytest.mark.parametrize(
    ("key", "entry", "reason"),
    [
        (("x", 0), [], "0 labels: expected"),
        (("x", 0), "107B", "expected a list of labels, got str"),
        (("x", 0, 1), dive(0), r"\('x', 0, 1\) is not \(event, number\)"),
        (("../x", 0), dive(0), "leads out of the dataset's folder"),
        (("x/y", 0), dive(0), "event 'x/y' is a path"),
        (("x", -1), dive(0), "number '-1' is not a whole number"),
        (("x", 0), ["1", "n.a.", "?"], "'n.a.' is not a finite number"),
    ],
)
def test_a_bad_entry_is_a_problem_and_the_rest_goes_on(
    name: str, root: Path, key: object, entry: object, reason: str
) -> None:
    file = {"finediving": f"{FINEDIVING}/fine-grained_annotation_aqa.pkl", "logo": f"{LOGO}/anno_dict.pkl"}
    dump(root / file[name], {k: dive(at) for at, k in enumerate(KEYS)} | {key: entry})
    dataset = load_dataset(name, root)
    assert len(dataset.videos) == len(KEYS)
    assert re.search(reason, "; ".join(dataset.problems))


def test_an_unknown_video_of_a_split_is_a_problem(name: str, root: Path) -> None:
    (path,) = root.glob("*/test_split*.pkl")
    dump(path, [*KEYS[5:], ("elsewhere", 3)])
    dataset = load_dataset(name, root)
    assert dataset.problems == (f"{path.name} entry 3: video elsewhere_3 has no usable labels",)


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("owned",)


@pytest.mark.parametrize("part", ["labels", "split"])
def test_no_code_of_a_pickle_is_run(
    name: str, root: Path, part: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (path,) = root.glob("*/anno*.pkl" if name == "logo" else "*/fine*.pkl")
    (split,) = root.glob("*/train_split*.pkl")
    dump(path if part == "labels" else split, {("x", 0): Evil()})
    with pytest.raises(DatasetError, match="cannot be read without running code"):
        load_dataset(name, root)
    assert not (tmp_path / "owned").exists()


def test_missing_files_say_where_they_come_from(name: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"(?s)no .*train_split.* and no test_split.* of the repository"):
        load_dataset(name, tmp_path)
