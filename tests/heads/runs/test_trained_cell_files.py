"""The files of a trained cell: written whole, read as they were, and damage named with what to do."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from aqa_pipeline.errors import RunError
from heads.data.score_scale import ScoreScale
from heads.runs.epoch import Epoch
from heads.runs.predictions import over_seeds_of
from heads.runs.trained_cell import (
    FILES,
    TrainedCell,
    VideoScore,
    cell_folder,
    is_complete,
    read_cell,
    read_state,
    shapes_of_state,
    split_folder,
    write_cell,
)

STATE = {"layer.weight": torch.arange(6.0).reshape(2, 3), "layer.bias": torch.zeros(2)}
EPOCHS = (Epoch(1, 0.5, 0.01, 0.05, math.nan, -0.25), Epoch(2, 0.125, 0.001, 0.005, 0.5, 1 / 3))


def make_cell(*rows: VideoScore, split: str = "given", seed: int = 0) -> TrainedCell:
    rows = rows or (VideoScore("a", "train", 1.0, 1.5), VideoScore("b", "test", 2.0, 1 / 3))
    return TrainedCell(split, seed, 2, ScoreScale(-1.5, 10.25), EPOCHS, rows)


def write(run: Path, cell: TrainedCell, state: dict[str, torch.Tensor] = STATE) -> Path:
    folder = cell_folder(run, split=cell.split, seed=cell.seed)
    write_cell(folder, cell, state)
    return folder


def test_a_cell_is_read_as_it_was_written(tmp_path: Path) -> None:
    folder, cell = write(tmp_path, make_cell()), make_cell()
    found = read_cell(tmp_path, split="given", seed=0)
    assert found.predictions == cell.predictions
    assert found.scale == cell.scale
    assert found.chosen_epoch == 2
    assert [each.to_row() for each in found.epochs][1] == EPOCHS[1].to_row()
    assert math.isnan(found.epochs[0].validation)
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    assert all(torch.equal(STATE[name], value) for name, value in read_state(folder).items())
    assert shapes_of_state(folder) == {"layer.weight": (2, 3), "layer.bias": (2,)}


names = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\r\n\x00\x85\u2028\u2029"),
    min_size=1,
    max_size=20,
)
numbers = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.tuples(names, numbers, numbers), min_size=1, max_size=5))
def test_any_name_and_number_comes_back_to_the_last_bit(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, float, float]]
) -> None:
    """Names may begin with signs that a spreadsheet would run, hold quotes, commas or any script."""
    run = tmp_path_factory.mktemp("run")
    written = tuple(VideoScore(name, "test", true, told) for name, true, told in rows)
    write(run, make_cell(*written))
    assert read_cell(run, split="given", seed=0).predictions == written


@pytest.mark.parametrize("name", ["=1+1", "@SUM(A1)", "-2", "'=x", "''-y", "a,b", 'say "x"', " spaced ", "'"])
def test_a_formula_is_text_in_the_file_and_a_name_in_the_run(tmp_path: Path, name: str) -> None:
    folder = write(tmp_path, make_cell(VideoScore(name, "test", 1.0, 2.0)))
    assert read_cell(tmp_path, split="given", seed=0).predictions[0].video_id == name
    field = (folder / "predictions.csv").read_text().splitlines()[1]
    assert not field.startswith(("=", "@", "-", "+"))


@given(st.builds(Epoch, st.integers(1, 999), numbers, numbers, numbers, numbers, numbers))
def test_an_epoch_comes_back_from_its_row(epoch: Epoch) -> None:
    assert Epoch.from_row({name: str(value) for name, value in epoch.to_row().items()}) == epoch


def test_an_epoch_of_classes_names_its_columns_after_the_accuracy() -> None:
    epoch = Epoch(1, 0.1, 0.0, 0.0, 0.5, 0.75, "accuracy")
    assert {"validation_accuracy", "test_accuracy"} <= set(epoch.to_row())
    assert Epoch.from_row({name: str(value) for name, value in epoch.to_row().items()}) == epoch


Damage = Callable[[Path], object]


def without(name: str) -> Damage:
    return lambda folder: (folder / name).unlink()


def holding(name: str, text: str) -> Damage:
    return lambda folder: (folder / name).write_text(text)


def changed(**facts: object) -> Damage:
    def change(folder: Path) -> None:
        values = json.loads((folder / "cell.json").read_text()) | facts
        (folder / "cell.json").write_text(json.dumps(values))

    return change


HEAD = "video_id,part,true,predicted\n"
AGAIN = "delete that folder and run the same `aqa fit` command again."


@pytest.mark.parametrize("name", FILES)
def test_a_cell_that_lacks_a_file_is_not_complete(tmp_path: Path, name: str) -> None:
    folder = write(tmp_path, make_cell())
    without(name)(folder)
    assert not is_complete(folder)
    with pytest.raises(
        RunError, match="seed-0 is not complete: run the same `aqa fit` command again, it goes on"
    ):
        read_cell(tmp_path, split="given", seed=0)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (holding("cell.json", "{"), "JSONDecodeError"),
        (holding("cell.json", "[1]"), "TypeError"),
        (changed(seed=3), "it is of split 'given', seed 3"),
        (changed(split="ball"), "it is of split 'ball', seed 0"),
        (changed(chosen_epoch="two"), "ValueError"),
        (changed(score_scale={"low": 5, "high": 5}), "expected low < high, got 5 and 5"),
        (changed(score_scale={"low": 5}), "TypeError"),
        (holding("predictions.csv", ""), "predictions.csv has no row"),
        (holding("predictions.csv", HEAD), "predictions.csv has no row"),
        (holding("predictions.csv", HEAD + "a,train,1,2\n"), "predictions.csv has no test video"),
        (holding("predictions.csv", HEAD + "a,exam,1,2\n"), "a video of the part 'exam'"),
        (holding("predictions.csv", HEAD + "a,test,one,2\n"), "could not convert string to float: 'one'"),
        (holding("predictions.csv", HEAD + "a,test,1\n"), "could not convert string to float: ''"),
        (holding("predictions.csv", HEAD + "a,test,1,nan\n"), "a score of 'a' is no finite number"),
        (holding("predictions.csv", HEAD + "a,test,inf,2\n"), "a score of 'a' is no finite number"),
        (holding("predictions.csv", "video_id,true\na,1\n"), "KeyError"),
        (holding("epochs.csv", ""), "epochs.csv has no row"),
        (holding("epochs.csv", "epoch,loss\n1,x\n"), "could not convert string to float: 'x'"),
        (holding("epochs.csv", "epoch,loss\n1,0.5\n"), "TypeError"),
        (holding("epochs.csv", "loss\n0.5\n"), "KeyError"),
    ],
)
def test_damage_is_named_with_the_folder_and_what_to_do(tmp_path: Path, damage: Damage, reason: str) -> None:
    damage(write(tmp_path, make_cell()))
    with pytest.raises(RunError) as caught:
        read_cell(tmp_path, split="given", seed=0)
    message = str(caught.value)
    assert reason in message
    assert "split-given" in message
    assert "seed-0 is damaged (" in message
    assert message.endswith(AGAIN)


@pytest.mark.parametrize("content", [b"", b"\x10", b"\xff" * 100, b"\x02\x00\x00\x00\x00\x00\x00\x00{}"])
def test_a_damaged_network_is_named(tmp_path: Path, content: bytes) -> None:
    folder = write(tmp_path, make_cell())
    (folder / "model.safetensors").write_bytes(content)
    if content.endswith(b"{}"):
        assert shapes_of_state(folder) == {} == read_state(folder)
        return
    for read in (read_state, shapes_of_state):
        with pytest.raises(
            RunError, match=r"model.safetensors cannot be read \(.*delete the folder and fit again"
        ):
            read(folder)


def test_a_complete_cell_is_kept_and_an_incomplete_one_replaced(tmp_path: Path) -> None:
    folder = write(tmp_path, make_cell())
    other = make_cell(VideoScore("c", "test", 9.0, 9.0))
    write(tmp_path, other)
    assert read_cell(tmp_path, split="given", seed=0).predictions == make_cell().predictions
    (folder / "cell.json").unlink()
    (folder / "left-over").write_text("x")
    write(tmp_path, other)
    assert read_cell(tmp_path, split="given", seed=0).predictions == other.predictions
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)


@pytest.mark.parametrize("split", ["../out", "a/b", "/etc", "..", "C:\\x", "con\x00", "Kür", ""])
def test_no_split_name_leads_out_of_the_run(tmp_path: Path, split: str) -> None:
    folder = split_folder(tmp_path / "run", split)
    assert folder.parent == tmp_path / "run"
    assert folder.resolve().is_relative_to((tmp_path / "run").resolve())


def test_different_splits_have_different_folders() -> None:
    names = ["a/b", "a_b", "a b", "A b", "a:b", "a%b", "ab", "a", "a.", "a?"]
    folders = {split_folder(Path("run"), name).name for name in names}
    assert len(folders) == len(names)


def test_seeds_that_tested_other_videos_are_not_put_together(tmp_path: Path) -> None:
    one, other = make_cell(), make_cell(VideoScore("z", "test", 2.0, 2.0), seed=1)
    with pytest.raises(
        RunError, match="the seeds of split 'given' were tested on different videos or labels"
    ):
        over_seeds_of([one, other])
    relabeled = make_cell(VideoScore("b", "test", 7.0, 2.0), seed=1)
    with pytest.raises(RunError, match="were tested on different videos or labels"):
        over_seeds_of([one, relabeled])
