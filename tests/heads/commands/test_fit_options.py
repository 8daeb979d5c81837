"""Every option of `aqa fit` changes what it says it changes, seen in the files of the run."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result

import cli
from heads.runs.trained_cell import TrainedCell, read_cell, read_state

QUICK = (
    "--head",
    "wd",
    "--variant",
    "paper",
    "--split",
    "given",
    "--seeds",
    "0",
    "--epochs",
    "1",
    "--device",
    "cpu",
)


def aqa(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def fit(club, out: Path, *more: object) -> Result:
    """Fit quickly with these options changed; a later option takes the place of an earlier one."""
    result = aqa("fit", *club.options, *QUICK, "--out", out, *more)
    assert result.exit_code == 0, result.output
    return result


def config_of(run_dir: Path) -> dict[str, Any]:
    return json.loads((run_dir / "config.json").read_text())


def cell_of(run_dir: Path, *, split: str = "given", seed: int = 0) -> TrainedCell:
    return read_cell(run_dir, split=split, seed=seed)


def weights_of(run_dir: Path) -> dict[str, torch.Tensor]:
    return read_state(run_dir / "split-given" / "seed-0")


def are_equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture(scope="module")
def plain(club, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the run without any further option."""
    out = tmp_path_factory.mktemp("plain") / "run"
    fit(club, out)
    return out


def test_seeds_are_a_folder_each_and_start_different_networks(club, tmp_path: Path) -> None:
    fit(club, tmp_path / "run", "--seeds", "3, 5")
    folders = sorted(path.name for path in (tmp_path / "run" / "split-given").glob("seed-*"))
    assert folders == ["seed-3", "seed-5"]
    three, five = (read_state(tmp_path / "run" / "split-given" / name) for name in folders)
    assert not are_equal(three, five)


def test_epochs_are_the_rows_of_the_learning_curve(club, tmp_path: Path) -> None:
    fit(club, tmp_path / "run", "--epochs", "3")
    with (tmp_path / "run" / "split-given" / "seed-0" / "epochs.csv").open() as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2", "3"]


@pytest.mark.parametrize("target", ["score", "execution", "difficulty"])
def test_the_target_is_what_predictions_are_compared_with(club, tmp_path: Path, target: str) -> None:
    fit(club, tmp_path / "run", "--target", target)
    cell = cell_of(tmp_path / "run")
    labels = {video.video_id: video.labels[target] for video in club.dataset.videos}
    assert {row.video_id: row.true for row in cell.predictions} == labels
    training = [row.true for row in cell.predictions if row.part == "train"]
    assert cell.scale.high == pytest.approx(np.std(training)), "wd divides by the training deviation"


def test_with_difficulty_the_prediction_is_execution_times_difficulty(club, tmp_path: Path) -> None:
    """The same network on the execution alone is the oracle: its predictions, times the difficulty."""
    fit(club, tmp_path / "execution", "--target", "execution")
    fit(club, tmp_path / "score", "--difficulty")
    difficulty = {video.video_id: video.labels["difficulty"] for video in club.dataset.videos}
    execution = {row.video_id: row.predicted for row in cell_of(tmp_path / "execution").predictions}
    product = {row.video_id: row.predicted for row in cell_of(tmp_path / "score").predictions}
    assert product == pytest.approx({name: execution[name] * difficulty[name] for name in execution})
    assert config_of(tmp_path / "score")["labels"]["multiplied_by"] == "difficulty"


def test_a_kind_of_split_stands_for_all_of_them(club, tmp_path: Path) -> None:
    fit(club, tmp_path / "run", "--split", "grouped", "--head", "svr-average", "--streams", "clips")
    dataset = club.dataset
    fitted = config_of(tmp_path / "run")["splits"]
    assert list(fitted) == [name for name in dataset.splits if name.startswith("grouped-")]
    groups = {video.video_id: video.group for video in dataset.videos}
    for name in fitted:
        rows = cell_of(tmp_path / "run", split=name).predictions
        sides = {
            part: {groups[row.video_id] for row in rows if row.part == part} for part in ("train", "test")
        }
        assert not sides["train"] & sides["test"], name


def test_splits_are_those_that_are_named(club, tmp_path: Path) -> None:
    fit(club, tmp_path / "run", "--split", "grouped-1,given", "--head", "svr-average", "--streams", "clips")
    assert list(config_of(tmp_path / "run")["splits"]) == ["grouped-1", "given"]
    tested = {row.video_id for row in cell_of(tmp_path / "run").predictions if row.part == "test"}
    assert tested == set(club.dataset.splits["given"].test)


def test_another_variant_learns_otherwise(club, plain: Path, tmp_path: Path) -> None:
    fit(club, tmp_path / "run", "--variant", "released")
    paper, released = weights_of(plain), weights_of(tmp_path / "run")
    assert {name.split(".")[0] for name in paper} == {name.split(".")[0] for name in released}
    assert not are_equal(paper, released)


def test_streams_take_the_place_of_the_heads_own(club, plain: Path, tmp_path: Path) -> None:
    fit(club, tmp_path / "run", "--streams", "segments")
    config = config_of(tmp_path / "run")
    assert list(config["streams"]) == ["segments"]
    first = "regressor.embedding.0.weight"
    assert (weights_of(plain)[first].shape[1], weights_of(tmp_path / "run")[first].shape[1]) == (12, 10)


def test_without_baselines_none_is_fitted_shown_or_judged_by(club, plain: Path, tmp_path: Path) -> None:
    alone = fit(club, tmp_path / "run", "--no-baselines")
    assert not list((tmp_path / "run").rglob("baselines.csv"))
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert (summary["baselines"], summary["verdict"]) == ([], None)
    assert config_of(tmp_path / "run")["training"]["baselines"] is False
    assert "ridge" not in alone.output
    assert "ridge" not in aqa("evaluate", tmp_path / "run").output
    beside = json.loads((plain / "summary.json").read_text())["baselines"]
    assert [each["baseline"] for each in beside] == ["mean", "ridge", "rbf-svr", "svr-average"]
    assert are_equal(weights_of(plain), weights_of(tmp_path / "run")), "baselines leave the head alone"


def test_validation_videos_are_a_fifth_of_the_training_videos(club, tmp_path: Path) -> None:
    fit(club, tmp_path / "run", "--select", "val", "--epochs", "3")
    cell = cell_of(tmp_path / "run")
    parts = [row.part for row in cell.predictions]
    assert {part: parts.count(part) for part in sorted(set(parts))} == {
        "test": 15,
        "train": 12,
        "validation": 3,
    }
    on_validation = [epoch.validation for epoch in cell.epochs]
    assert np.isfinite(on_validation).all()
    assert cell.chosen_epoch == 1 + int(np.argmax(on_validation))


def test_the_best_epoch_on_the_test_set_is_kept_and_flagged(club, tmp_path: Path) -> None:
    result = fit(club, tmp_path / "run", "--select", "best-on-test", "--epochs", "4")
    cell = cell_of(tmp_path / "run")
    assert cell.chosen_epoch == 1 + int(np.argmax([epoch.test for epoch in cell.epochs]))
    assert (
        "NOT MODEL SELECTION: the kept epoch is the one that scored best on the test videos." in result.stderr
    )
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["flags"] == [
        "NOT MODEL SELECTION",
        "GROUPS OVERLAP",
    ]


def test_shuffled_labels_train_another_network_and_are_evaluated_on_true_ones(
    club, plain: Path, tmp_path: Path
) -> None:
    result = fit(club, tmp_path / "run", "--shuffle-labels")
    assert "CONTROL: the training labels were shuffled, so there is nothing to learn." in result.stderr
    assert not are_equal(weights_of(plain), weights_of(tmp_path / "run"))
    labels = {video.video_id: video.labels["score"] for video in club.dataset.videos}
    assert {row.video_id: row.true for row in cell_of(tmp_path / "run").predictions} == labels
    assert "usable" not in result.stdout.lower(), "a control has no verdict"


def test_threads_are_those_of_torch_during_the_fit(club, tmp_path: Path) -> None:
    fit(club, tmp_path / "run", "--threads", "2")
    assert json.loads((tmp_path / "run" / "environment.json").read_text())["threads"] == 2
    assert config_of(tmp_path / "run")["training"]["threads"] == 2
    assert torch.get_num_threads() == 1, "the number of the test's process is restored"


def test_bf16_rounds_the_products_and_keeps_weights_in_float32(
    bf16, club, plain: Path, tmp_path: Path
) -> None:
    fit(club, tmp_path / "run", "--precision", "bf16")
    exact, rounded = weights_of(plain), weights_of(tmp_path / "run")
    assert not are_equal(exact, rounded)
    assert {value.dtype for value in rounded.values()} == {torch.float32}
    for name, value in exact.items():
        assert torch.allclose(value, rounded[name], atol=2e-3), name


@pytest.mark.parametrize("by", ["hash", "start", "backbone", "stream"])
def test_features_that_are_stored_twice_are_chosen(make_club, tmp_path: Path, by: str) -> None:
    club = make_club(tmp_path, num_videos=8)
    wide = type(club.spec("clips"))("clips", {"backbone": "wide", "step_seconds": 2.0})
    first = club.store.read("club", "v00", club.spec("clips"))
    for name in club.ids:
        record = club.store.read("club", name, club.spec("clips"))
        doubled = np.concatenate([record.features, record.features], axis=1)
        club.store.write(type(first)("club", name, wide, doubled, record.pts_seconds, record.source))
    options = {
        "hash": ("--spec", f"clips={wide.hash}"),
        "start": ("--spec", f"clips={wide.hash[:5]}"),
        "backbone": ("--backbone", "wide"),
        "stream": ("--backbone", "clips=wide"),
    }[by]
    fit(club, tmp_path / "run", *options)
    assert config_of(tmp_path / "run")["streams"]["clips"]["dim"] == 24
    assert config_of(tmp_path / "run")["streams"]["clips"]["hash"] == wide.hash


def test_videos_without_features_are_left_out_where_that_is_allowed(make_club, tmp_path: Path) -> None:
    club = make_club(tmp_path, num_videos=12, lacking={"clips": ["v03", "v04"]})
    refused = aqa("fit", *club.options, *QUICK, "--out", tmp_path / "run")
    assert refused.exit_code == 1
    assert "2 of 12 videos lack features" in refused.output
    assert "or go on without these videos with --allow-missing." in refused.output
    result = fit(club, tmp_path / "run", "--allow-missing")
    assert "Left out for want of features: 2 videos (v03, v04)." in result.stderr
    assert {row.video_id for row in cell_of(tmp_path / "run").predictions} == set(club.ids) - {"v03", "v04"}
    assert config_of(tmp_path / "run")["left_out"]["missing"] == {"v03": ["clips"], "v04": ["clips"]}


def test_without_out_the_run_is_named_after_dataset_and_head(
    club, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = aqa("fit", *club.options, *QUICK)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "runs" / "club-wd" / "summary.json").is_file()
    assert "into runs/club-wd." in result.stderr
    assert "Run: runs/club-wd (1 trained, 0 already there)" in result.stdout
    assert result.stdout.rstrip().endswith("next: aqa report runs/club-wd")


def test_a_repeated_run_is_the_same_and_lies_beside_the_first(club, plain: Path) -> None:
    result = aqa("fit", "--repeat", plain)
    assert result.exit_code == 0, result.output
    again = plain.with_name("run-again")
    assert are_equal(weights_of(plain), weights_of(again))
    assert config_of(again) == config_of(plain)
    assert cell_of(again).predictions == cell_of(plain).predictions


@pytest.mark.parametrize("place", [".", "../run", "../run/"])
def test_a_run_is_repeated_beside_itself_however_it_is_named(
    club, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    fit(club, tmp_path / "run")
    monkeypatch.chdir(tmp_path / "run")
    result = aqa("fit", "--repeat", place)
    assert result.exit_code == 0, result.output
    assert are_equal(weights_of(tmp_path / "run"), weights_of(tmp_path / "run-again"))


def test_repeat_takes_no_other_option(plain: Path, tmp_path: Path) -> None:
    result = aqa("fit", "--repeat", plain, "--seeds", "1", "--epochs", "3", "--out", tmp_path / "again")
    assert result.exit_code == 2
    assert "--repeat takes everything from the old run: leave out epochs, seeds." in result.output or (
        "leave out seeds, epochs." in result.output
    )
    assert not (tmp_path / "again").exists()


def test_options_can_come_from_the_environment(club, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AQA_FIT_TARGET", "execution")
    fit(club, tmp_path / "run")
    assert config_of(tmp_path / "run")["labels"]["target"]["name"] == "execution"
