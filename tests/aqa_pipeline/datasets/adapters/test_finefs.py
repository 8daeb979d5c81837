"""FineFS: one JSON file per program, short and free programs apart, the splits of public loaders."""

import json
from pathlib import Path

import numpy as np
import pytest

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.records import Dataset

COMPONENTS = ("skating_skills", "transitions", "performance", "composition", "interpretation")


def entry(number: int) -> dict[str, object]:
    return {
        "total_element_score": 30.0 + number / 10,
        "total_program_component_score(factored)": 35.5,
        "factor": 0.8,
        "program_component": {name: {"score_of_pannel": 7.0 + at / 4} for at, name in enumerate(COMPONENTS)},
        "executed_element": {"element1": {"score_of_pannel": 3.5}},
    }


def write(root: Path, numbers: list[int], *, folder: str = "data/annotation") -> Path:
    (root / folder).mkdir(parents=True, exist_ok=True)
    for number in numbers:
        (root / folder / f"{number}.json").write_text(json.dumps(entry(number)))
    return root


def load(root: Path) -> Dataset:
    return load_dataset("finefs", root)


@pytest.mark.parametrize("folder", ["data/annotation", "annotation"])
def test_scores_and_components(tmp_path: Path, folder: str) -> None:
    dataset = load(write(tmp_path, [0, 10, 2, 729], folder=folder))
    assert (dataset.problems, dataset.notes) == ((), ())
    assert [video.video_id for video in dataset.videos] == ["0", "2", "10", "729"]
    assert dataset.video("10").labels == {
        "tes": 31.0,
        "pcs": 35.5,
        "ss": 7.0,
        "tr": 7.25,
        "pe": 7.5,
        "co": 7.75,
        "in": 8.0,
    }


def test_splits_have_the_published_sizes_and_the_order_of_public_loaders(tmp_path: Path) -> None:
    dataset = load(write(tmp_path, list(range(1167))))
    assert dataset.default_splits == ("short", "free")
    short, free = dataset.split("short"), dataset.split("free")
    assert (len(short.train), len(short.test)) == (583, 146)
    assert (len(free.train), len(free.test)) == (350, 88)
    assert {*short.train, *short.test} == {str(number) for number in range(729)}
    assert {*free.train, *free.test} == {str(number) for number in range(729, 1167)}
    state = np.random.get_state()
    np.random.seed(42)  # as the loaders do it
    numbers = np.arange(729, 1167)
    np.random.shuffle(numbers)
    np.random.set_state(state)
    assert free.test == tuple(str(number) for number in numbers[350:])


def test_an_absent_label_moves_no_other_video_to_another_set(tmp_path: Path) -> None:
    whole = load(write(tmp_path / "whole", list(range(20)))).split("short")
    part = load(write(tmp_path / "part", list(range(1, 20)))).split("short")
    assert set(part.train) == set(whole.train) - {"0"}
    assert set(part.test) == set(whole.test) - {"0"}


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("5.json", "{", "5.json: it cannot be read"),
        ("5.json", "[1]", "it holds list, expected an object with total_element_score"),
        ("5.json", '{"total_element_score": "x"}', "tes 'x' is not a finite number"),
        ("1167.json", "{}", "number 1167 is not within 0 to 1166"),
        ("notes.json", "{}", "number of the file 'notes' is not a finite number"),
    ],
)
def test_a_bad_file_is_a_problem_and_the_rest_goes_on(
    tmp_path: Path, name: str, text: str, reason: str
) -> None:
    write(tmp_path, [0, 1])
    (tmp_path / "data/annotation" / name).write_text(text)
    dataset = load(tmp_path)
    assert len(dataset.problems) == 1
    assert reason in dataset.problems[0]
    assert [video.video_id for video in dataset.videos] == ["0", "1"]


def test_a_missing_component_costs_itself(tmp_path: Path) -> None:
    write(tmp_path, [0])
    content = entry(1) | {"program_component": {"transitions": {}}}
    (tmp_path / "data/annotation/1.json").write_text(json.dumps(content))
    dataset = load(tmp_path)
    assert dataset.problems == ()
    assert set(dataset.video("1").labels) == {"tes", "pcs"}


def test_videos_by_number(tmp_path: Path) -> None:
    video = write(tmp_path, [0, 1]) / "data/video/1.mp4"
    video.parent.mkdir()
    video.touch()
    dataset = load(tmp_path)
    assert [each.path for each in dataset.videos] == [video.with_name("0.mp4"), video]


def test_no_label_files(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"(?s)no annotation/0\.json in .*yanliji/FineFS-dataset"):
        load(tmp_path)
