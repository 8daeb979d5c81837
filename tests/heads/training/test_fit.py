"""A run: what it writes, and what it leaves out."""

import csv
import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from aqa_pipeline.errors import RunError
from aqa_pipeline.records import Split, StreamSpec
from heads.commands.fits.training_progress import training_progress
from heads.data.stored_specs import SpecChoice
from heads.runs import inner_network
from heads.runs.config import read_config
from heads.runs.trained_cell import FILES, cell_folder, read_cell
from heads.training.fit import Progress, fit


def contents(run_dir: Path) -> dict[str, bytes]:
    return {str(p.relative_to(run_dir)): p.read_bytes() for p in sorted(run_dir.rglob("*")) if p.is_file()}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_run_writes_what_it_is(world, tmp_path: Path) -> None:
    summary = fit(world.request(tmp_path / "run", seeds=(0, 5), splits=("first", "second")))
    run_dir = tmp_path / "run"
    assert (summary.num_trained, summary.num_resumed) == (4, 0)
    cells = [f"split-{split}/seed-{seed}" for split in ("first", "second") for seed in (0, 5)]
    expected = {f"{cell}/{name}" for cell in cells for name in FILES}
    expected |= {"config.json", "environment.json", "summary.json", "summary.csv"}
    expected |= {
        f"split-{split}/{name}"
        for split in ("first", "second")
        for name in ("training_statistics.json", "baselines.csv")
    }
    assert set(contents(run_dir)) == expected

    config = read_config(run_dir)
    assert (config.head.name, config.head.variant) == ("action-net", "paper")
    assert config.training.seeds == (0, 5)
    assert config.specs == world.specs
    assert config.streams["segments"].hash == world.specs["segments"].hash
    recipe = config.splits["first"].recipe
    assert (recipe.epochs, recipe.optimization.milestones, recipe.num_components) == (3, (2, 3), 16)
    assert config.training.threads == 1
    environment = json.loads((run_dir / "environment.json").read_text())
    assert environment["torch"] == torch.__version__
    assert environment["cpu"]


def test_predictions_and_epochs_are_on_the_raw_scale(world, tmp_path: Path) -> None:
    fit(world.request(tmp_path / "run"))
    folder = cell_folder(tmp_path / "run", split="first", seed=0)
    predictions = rows(folder / "predictions.csv")
    split = world.dataset.split("first")
    assert {r["video_id"]: r["part"] for r in predictions} == dict.fromkeys(
        split.train, "train"
    ) | dict.fromkeys(split.test, "test")
    for row in predictions:
        assert float(row["true"]) == world.dataset.video(row["video_id"]).labels["score"]
        assert 30 < float(row["predicted"]) < 90
    epochs = rows(folder / "epochs.csv")
    assert [row["epoch"] for row in epochs] == ["1", "2", "3"]
    assert set(epochs[0]) == {"epoch", "loss", "lr", "head_lr", "validation_spearman", "test_spearman"}


def test_progress_tells_cell_and_epoch(world, tmp_path: Path) -> None:
    told: list[Progress] = []
    fit(world.request(tmp_path / "run", seeds=(0, 1)), told.append)
    assert [(p.split, p.seed, p.cell, p.epoch.epoch) for p in told] == [
        ("first", seed, seed + 1, epoch) for seed in (0, 1) for epoch in (1, 2, 3)
    ]
    assert {(p.num_cells, p.num_epochs) for p in told} == {(2, 3)}


ADAPTED = {"variant": "adapted", "head": "wd-average", "streams": ("segments",), "epochs": 1}


def test_inner_cross_validation_counts_its_trainings_once_for_all_seeds(world, tmp_path: Path) -> None:
    told: list[Progress] = []
    fit(world.request(tmp_path / "run", seeds=(0, 1), **ADAPTED), told.append)
    choosing = [(each.seed, each.inner) for each in told if each.epoch is None]
    assert len(choosing) in range(4, 10), "a lighter candidate may be given up after each of its folds"
    assert choosing == [(0, f"choosing {number} of up to 9") for number in range(1, len(choosing) + 1)]
    assert {each.inner for each in told if each.epoch is not None} == {""}


STACK = {"variant": "adapted", "head": "stack", "epochs": 2, "baselines": False}


def test_seeds_of_a_stack_share_its_inner_folds_also_after_an_interruption(world, tmp_path: Path) -> None:
    told: list[Progress] = []
    whole, resumed = tmp_path / "whole", tmp_path / "resumed"
    fit(world.request(whole, seeds=(1, 2), **STACK), told.append)
    assert [(each.seed, each.inner) for each in told if each.epoch is None] == [
        (1, f"choosing {number} of up to 5") for number in range(1, 6)
    ]
    shutil.copytree(whole, resumed)
    shutil.rmtree(resumed / "split-first/seed-2")
    fit(world.request(resumed, seeds=(1, 2), **STACK))
    for name in ("predictions.csv", "model.safetensors"):
        cell = Path("split-first/seed-2") / name
        assert (resumed / cell).read_bytes() == (whole / cell).read_bytes()


def test_seeds_of_a_stack_share_nothing_where_their_labels_differ(world, tmp_path: Path) -> None:
    fit(world.request(tmp_path / "run", seeds=(0, 1), shuffle_labels=True, **STACK))
    assert not (tmp_path / "run/split-first" / inner_network.FILE).exists()


def test_the_bar_says_what_is_chosen_before_the_first_epoch(
    world, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with training_progress() as progress:
        fit(world.request(tmp_path / "run", **ADAPTED), progress)
    shown = capsys.readouterr().err
    texts = [f"split first, seed 0, choosing {number} of up to 9" for number in (1, 4)]
    places = [shown.index(text) for text in (*texts, "split first, seed 0: ")]
    assert places == sorted(places), shown


def test_missing_features_stop_the_run_or_are_left_out_loudly(world, tmp_path: Path) -> None:
    world.store.path("synthetic", "routine-04", world.specs["crops"]).unlink()
    with pytest.raises(RunError, match=r"1 of 40 videos lack features(?s:.*)routine-04: no crops"):
        fit(world.request(tmp_path / "run"))
    assert not (tmp_path / "run").exists()
    summary = fit(world.request(tmp_path / "run", allow_missing=True))
    assert any("Left out for want of features: 1 video (routine-04)." in note for note in summary.notes)
    ids = {row.video_id for row in read_cell(tmp_path / "run", split="first", seed=0).predictions}
    assert "routine-04" not in ids
    assert len(ids) == 39


def test_notes_tell_of_videos_without_an_athlete(world, tmp_path: Path) -> None:
    notes = fit(world.request(tmp_path / "run")).notes
    assert notes == ("Without a step of crops: 1 video (routine-03).",)


def test_one_note_tells_of_all_splits_that_share_groups(world, tmp_path: Path) -> None:
    videos = tuple(
        dataclasses.replace(video, group=f"athlete {at % 13}")
        for at, video in enumerate(world.dataset.videos)
    )
    request = world.request(tmp_path / "run", splits=("first", "second"), epochs=1)
    grouped = dataclasses.replace(request, dataset=dataclasses.replace(request.dataset, videos=videos))
    (note,) = [note for note in fit(grouped).notes if "GROUPS OVERLAP" in note]
    assert "14 of 14 in split first, 14 of 14 in split second. " in note


def test_a_note_tells_of_folds_that_mix_tasks(world, tmp_path: Path) -> None:
    ids = [video.video_id for video in world.dataset.videos]
    own = {
        "ball": Split("ball", tuple(ids[:10]), tuple(ids[10:20])),
        "hoop": Split("hoop", tuple(ids[20:30]), tuple(ids[30:])),
    }
    request = world.request(tmp_path / "run", splits=("2-fold",), epochs=1)
    of_apparatus = dataclasses.replace(request.dataset, splits=own, default_splits=("ball", "hoop"))
    (note,) = [
        note
        for note in fit(dataclasses.replace(request, dataset=of_apparatus)).notes
        if "MIXED TASKS" in note
    ]
    assert "the folds hold videos of ball, hoop together" in note


def test_random_weights_are_flagged_everywhere(world, tmp_path: Path) -> None:
    random = StreamSpec("segments", {"backbone": "toy-3d", "weights": "random:0"})
    for video_id in world.store.video_ids("synthetic", world.specs["segments"]):
        features = world.store.read("synthetic", video_id, world.specs["segments"]).features
        world.store.write(world.record(video_id, random, features))
    summary = fit(world.request(tmp_path / "run", specs=SpecChoice({"segments": random.hash})))
    assert summary.notes[0].startswith("RANDOM WEIGHTS")
    assert summary.evaluation.flags == ("RANDOM WEIGHTS",)
    assert read_config(tmp_path / "run").random_weights
    assert "RANDOM WEIGHTS" in (tmp_path / "run" / "summary.json").read_text()
    assert "RANDOM WEIGHTS" in (tmp_path / "run" / "summary.csv").read_text()


def test_selection_on_the_test_set_is_labelled_everywhere(world, tmp_path: Path) -> None:
    summary = fit(world.request(tmp_path / "run", select="best-on-test"))
    assert summary.notes[0].startswith("NOT MODEL SELECTION")
    for name in ("summary.json", "summary.csv"):
        assert "NOT MODEL SELECTION" in (tmp_path / "run" / name).read_text()


@pytest.mark.slow
def test_the_planted_signal_is_found_and_shuffled_labels_find_nothing(world, tmp_path: Path) -> None:
    true = fit(world.request(tmp_path / "true", seeds=(0, 1, 2), epochs=25)).evaluation.splits[0]
    assert true.mean > 0.8
    assert true.ensemble.spearman > 0.9
    assert true.interval.low > 0.5
    control = fit(world.request(tmp_path / "control", seeds=range(5), epochs=10, shuffle_labels=True))
    assert control.evaluation.splits[0].interval.covers(0.0)
    assert control.evaluation.flags == ("SHUFFLED LABELS",)
    assert control.notes[0].startswith("CONTROL")
    assert control.beside is None, "baselines of true labels would stand beside a control"


def test_scores_are_learned_on_the_targets_own_scale(world, tmp_path: Path) -> None:
    fit(world.request(tmp_path / "run", target="bonus"))
    cell = read_cell(tmp_path / "run", split="first", seed=0)
    assert (cell.scale.low, cell.scale.high) == (-5.0, 5.0)
    assert all(-5 <= row.predicted <= 5 for row in cell.predictions)


def test_strange_ids_and_split_names_stay_inside_the_run(world, tmp_path: Path) -> None:
    """Nothing leaves the folder, and ids come back as they were."""
    ids = ["../../x", '=cmd|"x"', "a,b\nc", "übung"]
    videos = list(world.dataset.videos)
    for index, video_id in enumerate(ids):
        old = videos[index]
        videos[index] = dataclasses.replace(old, video_id=video_id)
        for spec in world.specs.values():
            features = world.store.read("synthetic", old.video_id, spec).features
            world.store.write(world.record(video_id, spec, features))
    names = [video.video_id for video in videos]
    split = Split("../evil", tuple(names[:30]), tuple(names[30:]))
    dataset = dataclasses.replace(
        world.dataset, videos=tuple(videos), splits={split.name: split}, default_splits=()
    )
    fit(dataclasses.replace(world.request(tmp_path / "deep" / "run"), dataset=dataset))
    assert sorted(path.name for path in (tmp_path / "deep").iterdir()) == ["run"]
    cell = read_cell(tmp_path / "deep" / "run", split="../evil", seed=0)
    assert {row.video_id for row in cell.predictions} == set(names)


def test_runs_on_videos_without_crops_stay_numbers(world, tmp_path: Path) -> None:
    fit(world.request(tmp_path / "run", variant="released"))
    cell = read_cell(tmp_path / "run", split="first", seed=0)
    assert np.isfinite([row.predicted for row in cell.predictions]).all()


def test_videos_without_the_target_are_left_out_and_named(world, tmp_path: Path) -> None:
    first, *others = world.dataset.videos
    learned_from = world.dataset.split("first").train[0]
    videos = [
        dataclasses.replace(v, labels={}) if v.video_id == learned_from else v for v in (first, *others)
    ]
    dataset = dataclasses.replace(
        world.dataset, videos=tuple(videos), problems=("scores.csv line 3: no number",)
    )
    summary = fit(dataclasses.replace(world.request(tmp_path / "run"), dataset=dataset))
    assert f"Left out for want of a score: 1 video ({learned_from})." in summary.notes
    assert "1 label could not be used: scores.csv line 3: no number." in summary.notes
    assert read_config(tmp_path / "run").left_out.unlabeled == (learned_from,)
    cell = read_cell(tmp_path / "run", split="first", seed=0)
    assert learned_from not in {row.video_id for row in cell.predictions}
    nothing = dataclasses.replace(
        dataset, videos=tuple(dataclasses.replace(video, labels={}) for video in videos)
    )
    with pytest.raises(
        RunError, match=r"none of the .* videos of synthetic has score: choose another target"
    ):
        fit(dataclasses.replace(world.request(tmp_path / "other"), dataset=nothing))
