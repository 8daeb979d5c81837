"""A run: what it writes, that it goes on where it was killed, and that it can be repeated bit for bit."""

import csv
import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from aqa_pipeline.errors import RunError, UnknownName
from aqa_pipeline.files import part_beside
from aqa_pipeline.records import Dataset, Split, StreamSpec, Target
from heads.data.stored_specs import SpecChoice
from heads.runs.config import read_config
from heads.runs.run_config import SCHEMA_VERSION
from heads.runs.trained_cell import FILES, cell_folder, read_cell, read_state
from heads.training.fit import Progress, fit
from heads.training.options import FitOptions, FitRequest


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
    assert (recipe.epochs, recipe.milestones, recipe.num_components) == (3, (2, 3), 16)
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


def test_the_same_request_trains_nothing_twice(world, tmp_path: Path) -> None:
    request = world.request(tmp_path / "run", seeds=(0, 1))
    fit(request)
    before = contents(tmp_path / "run")
    told: list[Progress] = []
    summary = fit(request, told.append)
    assert (summary.num_trained, summary.num_resumed) == (0, 2)
    assert not told
    assert contents(tmp_path / "run") == before


def part_of_a_dead_process(folder: Path) -> Path:
    """Return the temporary name that a killed command leaves behind."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    part = part_beside(folder)
    return part.with_name(part.name.replace(f"@{os.getpid()}.", f"@{dead.pid}."))


@pytest.mark.parametrize("lost", [*FILES, None])
def test_a_partial_cell_is_redone(world, tmp_path: Path, lost: str | None) -> None:
    """A cell that lacks a file, or is still under its temporary name, does not count."""
    request = world.request(tmp_path / "run")
    fit(request)
    before = contents(tmp_path / "run")
    folder = cell_folder(tmp_path / "run", split="first", seed=0)
    if lost is None:
        part = part_of_a_dead_process(folder)
        folder.rename(part)
        (part / "model.safetensors").write_bytes(b"half")
    else:
        (folder / lost).unlink()
    assert fit(request).num_trained == 1
    assert contents(tmp_path / "run") == before


FIT_IN_A_PROCESS = """
import importlib.util, pathlib, sys
spec = importlib.util.spec_from_file_location("world", sys.argv[1])
world = importlib.util.module_from_spec(spec)
sys.modules["world"] = world
spec.loader.exec_module(world)
from aqa_pipeline.store import Store
from heads.training.fit import fit
root, store, out = map(pathlib.Path, sys.argv[2:])
def stop_in_the_second(progress):
    if progress.seed == 1:
        print("in the second", flush=True)
        sys.stdin.read()
request = world.World(world.make_dataset(root), Store(store)).request(out, seeds=(0, 1, 2), epochs=10)
fit(request, stop_in_the_second)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a word of POSIX")
def test_a_killed_run_goes_on(world, tmp_path: Path) -> None:
    """Kill -9 in the second of three cells: the first stays, and the end is that of a whole run."""
    killed, conftest = tmp_path / "killed", Path(__file__).parents[1] / "conftest.py"
    places = [conftest, world.dataset.root, world.store.root, killed]
    command = [sys.executable, "-c", FIT_IN_A_PROCESS, *map(str, places)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    first, second = (cell_folder(killed, split="first", seed=seed) for seed in (0, 1))
    assert process.stdout.readline() == "in the second\n"
    process.kill()
    process.communicate()
    assert first.exists()
    assert not second.exists()
    trained_once = contents(first)

    told: list[Progress] = []
    request = world.request(killed, seeds=(0, 1, 2), epochs=10)
    assert fit(request, told.append).num_resumed == 1
    assert {progress.seed for progress in told} == {1, 2}
    assert contents(first) == trained_once
    fit(dataclasses.replace(request, out=tmp_path / "whole"))
    assert contents(killed) == contents(tmp_path / "whole")


def test_a_run_is_repeated_bit_for_bit_from_its_config(world, tmp_path: Path) -> None:
    """Also where torch was set to another number of threads in the meantime."""
    fit(world.request(tmp_path / "run", seeds=(2,), splits=("second",), select="val", variant="released"))
    torch.set_num_threads(2)
    config = read_config(tmp_path / "run")
    again = FitRequest(FitOptions.from_config(config), world.dataset, world.store, tmp_path / "again")
    fit(again)
    assert torch.get_num_threads() == 2, "the thread count is given back"
    assert contents(tmp_path / "run") == contents(tmp_path / "again")


def test_another_request_in_the_same_folder_is_refused(world, tmp_path: Path) -> None:
    fit(world.request(tmp_path / "run"))
    other = world.request(tmp_path / "run", epochs=4, variant="released")
    with pytest.raises(
        RunError, match=r"(?s)holds a run with another configuration.*epochs: 3 != 4\n"
    ) as error:
        fit(other)
    assert "variant: paper != released" in str(error.value)
    assert "Name another --out" in str(error.value)


def test_changed_features_are_another_run(world, tmp_path: Path) -> None:
    fit(world.request(tmp_path / "run"))
    record = world.store.read("synthetic", "routine-00", world.specs["crops"])
    world.store.write(world.record("routine-00", world.specs["crops"], record.features + 1))
    with pytest.raises(RunError, match=r"splits.first.data_sha256: \w+ != \w+"):
        fit(world.request(tmp_path / "run"))


def test_a_folder_of_something_else_is_left_alone(world, tmp_path: Path) -> None:
    (tmp_path / "holiday").mkdir()
    (tmp_path / "holiday" / "photo.jpg").write_text("sea")
    with pytest.raises(RunError, match="is not empty and not a run directory: name a new folder with --out"):
        fit(world.request(tmp_path / "holiday"))
    assert [path.name for path in (tmp_path / "holiday").iterdir()] == ["photo.jpg"]


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


def test_the_planted_signal_is_found_and_shuffled_labels_find_nothing(world, tmp_path: Path) -> None:
    true = fit(world.request(tmp_path / "true", seeds=(0, 1, 2), epochs=25)).evaluation.splits[0]
    assert true.mean > 0.8
    assert true.ensemble.spearman > 0.9
    assert true.interval.low > 0.5
    control = fit(world.request(tmp_path / "control", seeds=range(5), epochs=10, shuffle_labels=True))
    assert control.evaluation.splits[0].interval.covers(0.0)
    assert control.evaluation.flags == ("SHUFFLED LABELS",)
    assert control.notes[0].startswith("CONTROL")


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
    assert "1 labels could not be used: scores.csv line 3: no number." in summary.notes
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


def test_a_dataset_without_a_split_is_told(world, tmp_path: Path) -> None:
    dataset = dataclasses.replace(world.dataset, splits={}, default_splits=())
    with pytest.raises(RunError, match="has no split: expected at least 2 videos with a score, it has 40"):
        fit(dataclasses.replace(world.request(tmp_path / "run"), dataset=dataset))
