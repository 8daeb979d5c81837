"""AQA-7: split files of MATLAB, layouts of the six sports, scores on the wrong scale, hostile files."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import loadmat, savemat
from scipy.io.matlab import MatlabObject

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.datasets.adapters.aqa7 import SCORE_RANGES
from aqa_pipeline.datasets.checking.check import check_dataset
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.records import Dataset

SPORTS = list(SCORE_RANGES)
# One clip of every sport to train and to test, by the middle of the sport's range; and a trampoline.
TRAIN = [[sport, sport, sum(SCORE_RANGES[name]) / 2] for sport, name in enumerate(SPORTS, start=1)] + [
    [7, 1, 40.0]
]
TEST = [[sport, 100 + sport, low] for sport, (low, _) in enumerate(SCORE_RANGES.values(), start=1)] + [
    [7, 2, 9.0]
]


def write_split(folder: Path, side: str, content: Any, **more: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"split_4_{side}_list.mat"
    savemat(path, {f"consolidated_{side}_list": content, **more}, do_compression=bool(more))
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for side, rows in (("train", TRAIN), ("test", TEST)):
        write_split(tmp_path / "Split_4", side, np.array(rows))
    return tmp_path


def load(root: Path) -> Dataset:
    return load_dataset("aqa7", root)


def test_six_sports_one_split_each_and_no_trampoline(root: Path) -> None:
    dataset = load(root)
    assert dataset.problems == ()
    assert dataset.default_splits == tuple(dataset.splits) == tuple(SPORTS)
    assert len(dataset.videos) == 12
    assert dataset.split("gym_vault").train == ("gym_vault_002",)
    assert dataset.split("sync_diving_10m").test == ("sync_diving_10m_106",)
    assert dataset.video("diving_101").labels == {"score": 21.6}


def test_the_target_takes_its_bounds_from_the_training_labels_of_a_sport(root: Path) -> None:
    target = load(root).target()
    assert (target.name, target.low, target.high) == ("score", None, None)


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.uint8])
def test_number_types_of_matlab(root: Path, kind: type) -> None:
    write_split(root / "Split_4", "train", np.array([[1, 3, 80], [1, 4, 90]], kind))
    assert load(root).split("diving").train == ("diving_003", "diving_004")


@pytest.mark.parametrize("folder", ["Split_4", "info", "annotations", "."])
def test_label_folders(tmp_path: Path, folder: str) -> None:
    for side, rows in (("train", TRAIN), ("test", TEST)):
        write_split(tmp_path / folder, side, np.array(rows))
    assert len(load(tmp_path).videos) == 12


@pytest.mark.parametrize(
    ("diving", "vault"),
    [
        ("diving-out", "gym_vault-out"),
        ("frames/diving-out", "frames/gym_vault-out"),
        ("Actions/diving/frames", "Actions/gym_vault/frames"),
        ("diving_samples_lstm_103/frames", "gym_vault_samples_lstm_103/frames"),
        ("diving_v1_samples_lstm_103/frames", "gym_vault_samples_lstm_103/frames"),
    ],
)
@pytest.mark.parametrize("name", ["img_{:05d}.jpg", "{}.jpg"])
def test_frame_layouts(
    root: Path, diving: str, vault: str, name: str, fill_folder: Callable, shown_frames: Callable
) -> None:
    fill_folder(root / diving / "001", range(103), name=name)
    fill_folder(root / vault / "002", range(500, 603), name=name)
    dataset = load(root)
    assert shown_frames(dataset.video("diving_001")) == list(range(103))
    assert shown_frames(dataset.video("gym_vault_002")) == list(range(500, 603))
    report = check_dataset(dataset)
    assert (report.files.num_readable, len(report.files.missing)) == (2, 10)
    assert report.files.total_seconds == pytest.approx(2 * 103 / 25)
    assert dataset.video("diving_001").duration_seconds == 103 / 25


def test_folders_of_diving_serve_no_other_sport(root: Path, fill_folder: Callable) -> None:
    fill_folder(root / "diving_v1_samples_lstm_103/frames/002", range(3))
    assert not load(root).video("gym_vault_002").path.exists()


def test_video_files_and_where_absent_clips_are_expected(root: Path) -> None:
    path = root / "diving/001.avi"
    path.parent.mkdir()
    path.touch()
    dataset = load(root)
    assert (dataset.video("diving_001").path, dataset.video("diving_001").fps) == (path, None)
    assert dataset.video("gym_vault_102").path == root / "gym_vault-out/102"


def test_scores_times_100_are_reported_and_refused(root: Path) -> None:
    for side, rows in (("train", TRAIN), ("test", TEST)):
        write_split(root / "Split_4", side, np.array(rows) * [1, 1, 100])
    with pytest.raises(
        DatasetError,
        match=r"(?s)no usable row.*train_list.mat row 1: score 6210 of diving is far from 21.6 to 102.6, "
        r"but a hundredth of it is not: the lists of the C3D-LSTM release hold scores times 100. "
        r"Use those of Split_4",
    ):
        load(root)


@pytest.mark.parametrize("sport", range(1, 7))
@pytest.mark.parametrize("factor", [100, 0.01])
def test_no_score_of_any_sport_passes_on_another_scale(root: Path, sport: int, factor: float) -> None:
    ends = np.array(SCORE_RANGES[SPORTS[sport - 1]])
    rows = [
        [sport, 1, ends[0]],
        [sport, 2, ends[1]],
        *([sport, 3 + i, end * factor] for i, end in enumerate(ends)),
    ]
    write_split(root / "Split_4", "train", np.array(rows))
    dataset = load(root)
    assert len(dataset.split(SPORTS[sport - 1]).train) == 2
    assert len(dataset.problems) == 2


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([8, 1, 50], "sport number 8 is not within 1 to 7"),
        ([1.5, 1, 50], "sport number '1.5' is not a whole number"),
        ([1, -1, 50], "sample number '-1.0' is not a whole number"),
        ([1, 1, np.nan], "score 'nan' is not a finite number"),
        ([1, 1, 0], "score 0 of diving is far from 21.6 to 102.6: is this the list of Split_4?"),
        ([1, 101, 50], "has different values each time"),
    ],
)
def test_a_bad_row_is_a_problem_and_the_rest_goes_on(root: Path, row: list[float], reason: str) -> None:
    write_split(root / "Split_4", "train", np.array([*TRAIN, row]))
    dataset = load(root)
    assert len(dataset.problems) == 1
    assert reason in dataset.problems[0]
    assert f"split_4_train_list.mat row {len(TRAIN) + 1}" in dataset.problems[0]
    assert len(dataset.splits) >= 5


def test_all_missing_parts_are_in_one_message(tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError, match=r"(?s)no split_4_train_list.mat and no split_4_test_list.mat in .*AQA-7.zip"
    ):
        load(tmp_path)


# Files that are not what they seem


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (np.ones((3, 2)), "is double 3x2; expected numbers, one row of 3 per video"),
        (np.ones((0, 3)), "is double 0x3"),
        (np.array([["a", "b", "c"]], object), "is cell 1x3"),
        ({"a": 1}, "is struct 1x1"),
        (MatlabObject(np.zeros((1, 1), [("run", "O")]), classname="system"), "is object 1x1"),
        ("system('touch ran')", "is char"),
    ],
)
def test_other_content_is_refused(root: Path, content: Any, message: str) -> None:
    write_split(root / "Split_4", "train", content)
    with pytest.raises(DatasetError, match=message):
        load(root)


def test_objects_beside_the_table_are_not_touched(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trap = MatlabObject(np.zeros((1, 1), [("run", "O")]), classname="system")
    write_split(root / "Split_4", "train", np.array(TRAIN), first=trap, zlast=trap)

    def touched(*_: object, **__: object) -> None:
        raise AssertionError("an object was read")

    monkeypatch.setattr(MatlabObject, "__new__", touched)
    with pytest.raises(AssertionError, match="an object was read"):
        loadmat(root / "Split_4/split_4_train_list.mat")
    assert len(load(root).videos) == 12


@pytest.mark.parametrize("matlab_class", [3, 16, 17, 18])  # object, function handle, opaque, anything unknown
def test_a_table_that_calls_itself_a_function_is_refused(root: Path, matlab_class: int) -> None:
    path = write_split(root / "Split_4", "train", np.array(TRAIN))
    content = bytearray(path.read_bytes())
    assert content[144] == 6  # the class of a double matrix, after the file's header and two tags
    content[144] = matlab_class
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"split_4_train_list\.mat"):
        load(root)


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize(
    "content", [b"", b"MATLAB 5.0 MAT-file", b"no matlab at all" * 20, "pickle", "cut", "noise"]
)
def test_damaged_files(root: Path, content: bytes | str) -> None:
    path = root / "Split_4/split_4_train_list.mat"
    whole = path.read_bytes()
    made = {
        "pickle": pickle.dumps(Bomb(root / "ran")),
        "cut": whole[:-40],
        "noise": whole[:128] + np.random.RandomState(0).bytes(len(whole) - 128),
    }
    path.write_bytes(made[content] if isinstance(content, str) else content)
    with pytest.raises(DatasetError, match=r"list.mat (cannot be read as a MATLAB file|has no variable)"):
        load(root)
    assert not (root / "ran").exists()


def test_another_variable(root: Path) -> None:
    savemat(root / "Split_4/split_4_train_list.mat", {"train": np.ones((2, 3)), "x": 1})
    with pytest.raises(DatasetError, match="has no variable consolidated_train_list; it holds train, x"):
        load(root)


def test_matlab_7_3(root: Path) -> None:
    path = root / "Split_4/split_4_train_list.mat"
    path.write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + b"\x89HDF\r\n\x1a\n".ljust(512))
    with pytest.raises(DatasetError, match=r"is a MATLAB 7\.3 file: save it as version 7"):
        load(root)
