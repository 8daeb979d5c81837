"""Fits and run folders that are refused, with what to do."""

import dataclasses
from pathlib import Path

import pytest
import torch

from aqa_pipeline.errors import RunError, UnknownName
from aqa_pipeline.records import Dataset, Split, Target
from heads.runs.config import read_config
from heads.runs.run_config import SCHEMA_VERSION
from heads.runs.trained_cell import cell_folder, read_cell, read_state
from heads.training.fit import fit


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"seeds": ()}, RunError, r"seeds is '\(\)', .*at least 1 item"),
        ({"seeds": (1, 1)}, RunError, r"seeds is '\(1, 1\)', expected different numbers"),
        ({"seeds": (-1,)}, RunError, "seeds.0 is '-1', expected greater than or equal to 0"),
        ({"splits": ("first", "first")}, RunError, "splits is .*, expected each split once"),
        ({"epochs": 0}, RunError, "epochs is '0', expected greater than or equal to 1"),
        ({"select": "best"}, RunError, "select is 'best', expected 'last', 'val' or 'best-on-test'"),
        ({"splits": ("third",)}, UnknownName, "unknown split of synthetic 'third'. Known: first, second"),
        ({"target": "beauty"}, UnknownName, "unknown target of synthetic 'beauty'"),
        ({"variant": "best"}, UnknownName, "unknown variant of action-net"),
    ],
)
def test_requests_that_make_no_sense(world, tmp_path: Path, change: dict, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        fit(world.request(tmp_path / "run", **change))
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there(world, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"device 'cuda' was asked for, but torch .* sees no GPU: use cpu"):
        fit(world.request(tmp_path / "run", device="cuda"))


def test_a_split_without_enough_videos_is_refused(world, tmp_path: Path) -> None:
    ids = [video.video_id for video in world.dataset.videos]
    dataset = Dataset(
        "synthetic",
        world.dataset.root,
        world.dataset.videos,
        {"tiny": Split("tiny", tuple(ids[:5]), (ids[6],))},
        (Target("score"),),
    )
    with pytest.raises(RunError, match="split 'tiny' has 5 videos to train and 1 to test on"):
        fit(dataclasses.replace(world.request(tmp_path / "run"), dataset=dataset))


def test_equal_labels_are_refused(world, tmp_path: Path) -> None:
    videos = tuple(dataclasses.replace(video, labels={"score": 7.0}) for video in world.dataset.videos)
    with pytest.raises(RunError, match="has no range"):
        fit(
            dataclasses.replace(
                world.request(tmp_path / "run"), dataset=dataclasses.replace(world.dataset, videos=videos)
            )
        )


def test_damaged_files_are_named(world, tmp_path: Path) -> None:
    fit(world.request(tmp_path / "run"))
    folder = cell_folder(tmp_path / "run", split="first", seed=0)
    (folder / "model.safetensors").write_bytes(b"not a tensor")
    with pytest.raises(
        RunError, match=r"model.safetensors cannot be read .* delete the folder and fit again"
    ):
        read_state(folder)
    (folder / "predictions.csv").write_text("video_id,part,true,predicted\nv,test,eleven,3\n")
    with pytest.raises(RunError, match=r"is damaged \(ValueError.*eleven.*delete that folder"):
        read_cell(tmp_path / "run", split="first", seed=0)
    (tmp_path / "run" / "config.json").write_text("{")
    with pytest.raises(RunError, match="is not a run directory"):
        read_config(tmp_path / "run")
    (tmp_path / "run" / "config.json").write_text('{"schema_version": 99}')
    with pytest.raises(RunError, match=f"has schema_version 99, expected {SCHEMA_VERSION}: fit again"):
        read_config(tmp_path / "run")


def test_a_dataset_without_a_split_is_told(world, tmp_path: Path) -> None:
    dataset = dataclasses.replace(world.dataset, splits={}, default_splits=())
    with pytest.raises(RunError, match="has no split: expected at least 2 videos with a score, it has 40"):
        fit(dataclasses.replace(world.request(tmp_path / "run"), dataset=dataset))
