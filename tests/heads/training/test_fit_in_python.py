"""`aqa.fit` and `aqa fit` are one function: the same choices make the same config and the same weights."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import aqa
import cli
from aqa_pipeline.errors import AqaError, RunError, UnknownName
from heads.runs.trained_cell import read_cell

COMMON = {"head": "wd", "splits": ["given"], "seeds": [0], "epochs": 1, "device": "cpu"}
WORDS = ("--head", "wd", "--split", "given", "--seeds", "0", "--epochs", "1", "--device", "cpu")


def by_command(club, out: Path, *options: str) -> Path:
    result = CliRunner().invoke(cli.main, ["fit", *club.options, *WORDS, *options, "--out", str(out)])
    assert result.exit_code == 0, result.output
    return out


def config_of(run: Path) -> dict[str, Any]:
    return json.loads((run / "config.json").read_text())


def model_of(run: Path, *, split: str = "given", seed: int = 0) -> bytes:
    return (run / f"split-{split}" / f"seed-{seed}" / "model.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("keywords", "options"),
    [
        ({}, ()),
        ({"target": "execution"}, ("--target", "execution")),
        ({"variant": "released"}, ("--variant", "released")),
        ({"streams": ["segments"]}, ("--streams", "segments")),
        ({"seeds": (3,)}, ("--seeds", "3")),
        ({"select": "best-on-test", "epochs": 2}, ("--select", "best-on-test", "--epochs", "2")),
        ({"select": "val"}, ("--select", "val")),
        ({"splits": ["grouped-1"]}, ("--split", "grouped-1")),
        ({"head": "lstm", "streams": ["clips"]}, ("--head", "lstm", "--streams", "clips")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_each_argument_is_the_option_of_its_name(
    club, tmp_path: Path, keywords: dict, options: tuple
) -> None:
    run = aqa.fit(club.dataset, club.store, out=tmp_path / "python", **(COMMON | keywords))
    typed = by_command(club, tmp_path / "typed", *options)
    assert config_of(run.run_dir) == config_of(typed)
    split, seed = keywords.get("splits", ["given"])[0], keywords.get("seeds", (0,))[0]
    assert model_of(run.run_dir, split=split, seed=seed) == model_of(typed, split=split, seed=seed)


def test_a_run_is_returned_that_scores_and_evaluates(club, tmp_path: Path) -> None:
    run = aqa.fit(club.dataset, club.store, out=tmp_path / "run", **COMMON)
    assert isinstance(run, aqa.Run)
    assert run.streams == ("clips",)
    evaluation = run.evaluate()
    rows = [
        row for row in read_cell(tmp_path / "run", split="given", seed=0).predictions if row.part == "test"
    ]
    error = np.mean([abs(row.predicted - row.true) for row in rows])
    assert evaluation.cells[0].scores.mean_error == pytest.approx(error)
    features = club.store["club", "v01", "clips"].features
    assert run.score(features).prediction.score == pytest.approx(
        next(row.predicted for row in rows if row.video_id == "v01"), rel=1e-5
    )


def test_allow_missing_leaves_videos_out(make_club, tmp_path: Path) -> None:
    club = make_club(tmp_path, num_videos=12, lacking={"clips": ["v02"]})
    with pytest.raises(RunError, match="1 of 12 videos lack features"):
        aqa.fit(club.dataset, club.store, out=tmp_path / "run", **COMMON)
    run = aqa.fit(club.dataset, club.store, out=tmp_path / "run", allow_missing=True, **COMMON)
    assert len(read_cell(run.run_dir, split="given", seed=0).predictions) == 11


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"head": "wdd"}, UnknownName, "unknown head 'wdd'"),
        ({"variant": "best"}, UnknownName, "unknown variant of wd 'best'"),
        ({"target": "tes"}, UnknownName, "unknown target of club 'tes'"),
        ({"splits": ["gven"]}, UnknownName, "unknown split of club 'gven'. Did you mean 'given'"),
        ({"splits": ["given", "given"]}, RunError, "expected each split once"),
        ({"streams": ["tubes"]}, RunError, "wd reads features, not maps"),
        ({"seeds": []}, RunError, "the options of a fit do not fit: seeds is "),
        ({"seeds": [1, 1]}, RunError, "expected different numbers"),
        ({"seeds": ["0"]}, RunError, "seeds.0 is '0', expected a valid integer"),
        ({"epochs": 0}, RunError, "epochs is '0', expected greater than or equal to 1"),
        ({"epochs": 2.5}, RunError, "epochs is '2.5', expected a valid integer"),
        ({"select": "luck"}, RunError, "select is 'luck', expected 'last', 'val' or 'best-on-test'"),
        ({"device": "tpu"}, AqaError, "device 'tpu' cannot be used"),
    ],
)
def test_a_choice_that_does_not_fit_is_explained_and_leaves_no_run(
    club, tmp_path: Path, keywords: dict, error: type[AqaError], message: str
) -> None:
    with pytest.raises(error, match=message):
        aqa.fit(club.dataset, club.store, out=tmp_path / "run", **(COMMON | keywords))
    assert not (tmp_path / "run").exists()


def test_seeds_trained_together_or_apart_are_the_same(club, tmp_path: Path) -> None:
    """No cell depends on the one that was trained before it, nor on their order."""
    aqa.fit(club.dataset, club.store, out=tmp_path / "both", **(COMMON | {"seeds": [0, 1]}))
    aqa.fit(club.dataset, club.store, out=tmp_path / "turned", **(COMMON | {"seeds": [1, 0]}))
    aqa.fit(club.dataset, club.store, out=tmp_path / "alone", **(COMMON | {"seeds": [1]}))
    models = {model_of(tmp_path / name, seed=1) for name in ("both", "turned", "alone")}
    assert len(models) == 1
    assert model_of(tmp_path / "both", seed=0) == model_of(tmp_path / "turned", seed=0)


def test_the_random_state_of_the_caller_stays(club, tmp_path: Path) -> None:
    import torch

    torch.manual_seed(5)
    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()
    aqa.fit(club.dataset, club.store, out=tmp_path / "run", **COMMON)
    assert torch.equal(torch.get_rng_state(), before)
    assert np.array_equal(np.random.get_state()[1], numpy_before)


def test_summary_csv_and_json_hold_the_same_numbers(club) -> None:
    summary = json.loads((club.run("wd") / "summary.json").read_text())
    with (club.run("wd") / "summary.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["split"], int(row["seed"])) for row in rows] == [
        (cell["split"], cell["seed"]) for cell in summary["cells"]
    ]
    for row, cell in zip(rows, summary["cells"], strict=True):
        for name in ("spearman", "relative_l2", "mse", "mean_error"):
            assert float(row[name]) == cell["scores"][name]
        assert float(row["last_epoch_spearman"]) == cell["last_on_test"]
        assert row["flags"] == "; ".join(summary["flags"])


def test_a_run_that_is_loaded_twice_and_moved_scores_the_same(club, tmp_path: Path) -> None:
    features = club.store["club", "v03", "clips"].features + np.float32(0.01)
    moved = shutil.copytree(club.run("wd"), tmp_path / "moved")
    scores = {aqa.load_run(path).score(features).score for path in (club.run("wd"), str(moved))}
    assert len(scores) == 1
