"""Fis-V: the real label files, with and without a header, and where its videos lie."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.datasets.checking.check import check_dataset
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.records import Dataset

TRAIN, TEST = "1 28.71 29.36 1\n3 28.79 27.89 1\n", "2 28.88 27.08 1\n"


@pytest.fixture(scope="module")
def real(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    root = tmp_path_factory.mktemp("fisv")
    for side in ("train", "test"):
        shutil.copy(shared / f"annotations/fis_v/{side}_dataset.txt", root)
    return load(root)


def load(root: Path) -> Dataset:
    return load_dataset("fis-v", root)


def write_labels(folder: Path, *, train: str = TRAIN, test: str = TEST) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train_dataset.txt").write_text(train)
    (folder / "test_dataset.txt").write_text(test)
    return folder


def test_real_labels_have_the_published_counts_and_lose_no_first_line(real: Dataset) -> None:
    assert real.problems == ()
    official = real.split("official")
    assert (len(official.train), len(official.test)) == (400, 100)
    assert {*official.train, *official.test} == {str(number) for number in range(1, 501)}
    assert (official.train[0], official.test[0]) == ("1", "2")
    assert real.default_splits == ("official",)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("tes", 6.33, 42.81), ("pcs", 10.48, 38.28), ("deduction", 0, 4), ("total", 16.81, 80.75)],
)
def test_real_scores_lie_in_the_targets_range(real: Dataset, name: str, low: float, high: float) -> None:
    values, target = np.array([video.labels[name] for video in real.videos]), real.target(name)
    assert (values.min(), values.max()) == (pytest.approx(low), pytest.approx(high))
    assert target.low is not None
    assert target.high is not None
    assert target.low <= low < high <= target.high


def test_total_is_less_the_deduction(tmp_path: Path) -> None:
    assert load(write_labels(tmp_path)).video("1").labels == {
        "tes": 28.71,
        "pcs": 29.36,
        "total": pytest.approx(57.07),
        "deduction": 1.0,
    }


@pytest.mark.parametrize("folder", [".", "data", "annotations"])
@pytest.mark.parametrize("header", ["", "id TES PCS deduction\n", "\n\nnumber,tes,pcs,ded\n"])
def test_with_and_without_header(tmp_path: Path, folder: str, header: str) -> None:
    write_labels(tmp_path / folder, train=header + TRAIN, test=header + TEST.replace(" ", ","))
    dataset = load(tmp_path)
    assert dataset.problems == ()
    assert (dataset.split("official").train, dataset.split("official").test) == (("1", "3"), ("2",))


@pytest.mark.parametrize("line", ["one 2 3 0", "x 28.7 y 1"])
def test_a_bad_first_line_is_no_header(tmp_path: Path, line: str) -> None:
    dataset = load(write_labels(tmp_path, train=f"{line}\n{TRAIN}"))
    assert len(dataset.problems) == 1
    assert dataset.problems[0].startswith("train_dataset.txt line 1: ")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("4 1 2", "expected id TES PCS deduction, got 3 words"),
        ("4 x y nan", "TES 'x' is not a finite number; PCS 'y' is not a finite number; deduction 'nan' is"),
        ("4.5 1 2 0", "id '4.5' is not a whole number"),
        ("2 28.88 27.08 1", "id '2' has different values each time"),
    ],
)
def test_a_bad_line_is_a_problem_and_the_rest_goes_on(tmp_path: Path, line: str, reason: str) -> None:
    dataset = load(write_labels(tmp_path, train=f"{TRAIN}{line}\n", test=TEST + "5 1 2 0\n"))
    assert len(dataset.problems) == 1
    assert "train_dataset.txt line 3" in dataset.problems[0]
    assert reason in dataset.problems[0]
    assert dataset.split("official").train == ("1", "3")


def test_a_row_without_any_mark_stays_to_be_extracted(tmp_path: Path) -> None:
    dataset = load(write_labels(tmp_path, train=f"{TRAIN}4 - DNF n/a\n"))
    assert dataset.problems == ()
    assert dict(dataset.video("4").labels) == {}
    assert any(note.startswith("1 of 4 videos have no tes: 4.") for note in dataset.notes)


def test_a_missing_score_costs_itself_and_the_total_that_it_is_part_of(tmp_path: Path) -> None:
    dataset = load(write_labels(tmp_path, train=f"{TRAIN}4 20.5 - 1\n5 20.5 30..1 0\n"))
    assert dict(dataset.video("4").labels) == {"tes": 20.5, "deduction": 1.0}
    assert dict(dataset.video("5").labels) == {"tes": 20.5, "deduction": 0.0}
    assert dataset.split("official").train == ("1", "3", "4", "5")
    assert dataset.notes == tuple(
        f"2 of 5 videos have no {name}: 4, 5. They can be extracted, but are left out "
        "when a head is trained on this target."
        for name in ("pcs", "total")
    )
    assert dataset.problems == (
        "train_dataset.txt line 4: PCS '30..1' is not a finite number; the video has no such label",
    )


def test_no_usable_line_and_an_empty_file(tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError, match=r"have no usable line: train_dataset\.txt line 1: expected id TES"
    ):
        load(write_labels(tmp_path, train="7\n", test="8\n"))
    with pytest.raises(DatasetError, match=r"test_dataset.txt is empty"):
        load(write_labels(tmp_path, test=""))


@pytest.mark.parametrize("folder", ["videos", "mp4_videos", "."])
def test_videos_by_id(tmp_path: Path, folder: str) -> None:
    write_labels(tmp_path)
    path = tmp_path / folder / "3.mp4"
    path.parent.mkdir(exist_ok=True)
    path.touch()
    dataset = load(tmp_path)
    assert [video.path for video in dataset.videos] == [
        tmp_path / "videos/1.mp4",
        path,
        tmp_path / "videos/2.mp4",
    ]
    assert dataset.video("3").fps is None


def test_frame_folders_run_at_25_fps(tmp_path: Path, fill_folder: Callable, shown_frames: Callable) -> None:
    write_labels(tmp_path)
    fill_folder(tmp_path / "videos/1", range(12), name="{}.jpg")
    dataset = load(tmp_path)
    assert shown_frames(dataset.video("1")) == list(range(12))
    report = check_dataset(dataset)
    assert (report.files.num_readable, report.files.total_seconds) == (1, pytest.approx(12 / 25))


def test_all_missing_parts_are_in_one_message(tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError, match=r"(?s)no train_dataset.txt and no test_dataset.txt in .*chmxu/MS_LSTM"
    ):
        load(tmp_path)
