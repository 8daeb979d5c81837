"""FS1000: lines of nine columns without a header, PCS by its factor, the official sets."""

from pathlib import Path

import pytest

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.records import Dataset

TRAIN = "2018_Final_MF_Junhwan 62.5 72.0 7.0 7.1 7.2 7.3 7.4 2.0\n2021_R_PF_7 50 28.0 7 7 7 7 7 0.8\n"
TEST = "2019_SWJ_LF_Alexandra_T 61.25 52.8 6.5 6.5 6.75 6.5 6.75 1.6\n"


def load(root: Path, *, train: str = TRAIN, names: tuple[str, str] = ("train_fs1000_new", "val_fs1000_new")):
    root.mkdir(exist_ok=True)
    for name, text in zip(names, (train, TEST), strict=True):
        (root / f"{name}.txt").write_text(text)
    return load_dataset("fs1000", root)


@pytest.mark.parametrize("names", [("train_fs1000_new", "val_fs1000_new"), ("train_fs800", "val_fs800")])
def test_no_line_is_a_header_and_the_files_are_the_split(tmp_path: Path, names: tuple[str, str]) -> None:
    dataset = load(tmp_path, names=names)
    assert (dataset.problems, dataset.notes) == ((), ())
    official = dataset.split("official")
    assert official.train == ("2018_Final_MF_Junhwan", "2021_R_PF_7")
    assert official.test == ("2019_SWJ_LF_Alexandra_T",)
    assert dataset.default_splits == ("official",)


def test_seven_scores_and_pcs_by_its_factor(tmp_path: Path) -> None:
    dataset = load(tmp_path)
    assert dataset.video("2018_Final_MF_Junhwan").labels == {
        "tes": 62.5,
        "pcs": 36.0,
        "factored-pcs": 72.0,
        "ss": 7.0,
        "tr": 7.1,
        "pe": 7.2,
        "co": 7.3,
        "in": 7.4,
    }
    assert dataset.video("2021_R_PF_7").labels["pcs"] == pytest.approx(35.0)
    names = [target.name for target in dataset.targets]
    assert names == ["tes", "pcs", "ss", "tr", "pe", "co", "in", "factored-pcs"]


def test_without_a_factor_there_is_no_pcs(tmp_path: Path) -> None:
    dataset = load(tmp_path, train=f"{TRAIN}2020_x 50 28 7 7 7 7 7 0\n2020_y 50 28 7 7 7 7 7 -\n")
    assert dataset.problems == ()
    for name in ("2020_x", "2020_y"):
        assert "pcs" not in dataset.video(name).labels
        assert dataset.video(name).labels["factored-pcs"] == 28


def test_a_bad_line_is_a_problem_and_the_rest_goes_on(tmp_path: Path) -> None:
    dataset: Dataset = load(tmp_path, train=f"{TRAIN}2020_x 50 28\n../x 1 1 1 1 1 1 1 1\n")
    assert "expected id TES PCS SS TR PE CO IN factor, got 3 words" in dataset.problems[0]
    assert "leads out of the dataset's folder" in dataset.problems[1]
    assert len(dataset.videos) == 3


def test_missing_files_say_where_they_come_from(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"(?s)no train_fs1000_new\.txt .*Audio-Visual-Figure-Skating"):
        load_dataset("fs1000", tmp_path)
