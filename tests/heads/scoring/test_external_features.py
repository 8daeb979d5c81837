"""`aqa score --features`: given features get the score that the run gives them, and walls are explained."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import cli
from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.simulation import Simulation, simulate
from aqa_pipeline.store import Store
from heads.runs.trained_cell import read_cell
from heads.scoring.ensemble import load_ensemble
from heads.training.fit import fit
from heads.training.options import FitOptions, FitRequest, TrainingOptions


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


@pytest.fixture
def both(world, tmp_path: Path) -> Path:
    """Return a run of two streams."""
    return fit(world.request(tmp_path / "run")).run_dir


@pytest.fixture
def single(world, tmp_path: Path) -> Path:
    """Return a run of one stream."""
    return fit(world.request(tmp_path / "single", streams=("segments",))).run_dir


def save(folder: Path, world, video_ids: list[str], stream: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for video_id in video_ids:
        record = world.store.read("synthetic", video_id, world.specs[stream])
        np.save(folder / f"{video_id}.npy", record.features)
    return folder


def predicted(run_dir: Path) -> dict[str, float]:
    """Return what the run's own evaluation said of its test videos."""
    cell = read_cell(run_dir, split="first", seed=0)
    return {row.video_id: row.predicted for row in cell.predictions if row.part == "test"}


def scores_in(path: Path) -> dict[str, float]:
    return {video["video"]: video["score"] for video in json.loads(path.read_text())["videos"]}


SECONDS = ["--step-seconds", "1"]


def test_a_folder_per_stream_gets_the_scores_of_the_evaluation(world, both: Path, tmp_path: Path) -> None:
    known = predicted(both)
    names = sorted(known)[:3]
    for stream in ("segments", "crops"):
        save(tmp_path / "f" / stream, world, names, stream)
    outputs = ["--json", tmp_path / "s.json", "--csv", tmp_path / "s.csv", "--html", tmp_path / "page"]
    result = run("score", "--features", tmp_path / "f", "--run", both, *SECONDS, *outputs)
    assert result.exit_code == 0, result.output
    assert "trained on extracted segments (toy-3d) and extracted crops (toy-2d)" in result.output
    assert scores_in(tmp_path / "s.json") == pytest.approx({name: known[name] for name in names}, abs=1e-4)
    assert [row["video"] for row in csv.DictReader((tmp_path / "s.csv").read_text().splitlines())] == names
    index = (tmp_path / "page" / "index.html").read_text()
    assert "3 videos scored" in index
    assert "href=" not in index.partition("<body")[2]


@pytest.mark.parametrize("ending", ["npy", "npz", "csv"])
def test_one_file_of_any_kind_is_one_video(world, single: Path, tmp_path: Path, ending: str) -> None:
    name, score = next(iter(predicted(single).items()))
    rows = world.store.read("synthetic", name, world.specs["segments"]).features
    path = tmp_path / f"new.{ending}"
    {
        "npy": lambda: np.save(path, rows),
        "npz": lambda: np.savez(path, rows),
        "csv": lambda: np.savetxt(path, rows, delimiter=",", header="a,b", comments=""),
    }[ending]()
    if ending == "csv":  # a header of as many names as there are columns
        path.write_text(path.read_text().replace("a,b", ",".join(f"f{at}" for at in range(24)), 1))
    result = run("score", "--features", path, "--run", single, *SECONDS, "--json", tmp_path / "s.json")
    assert result.exit_code == 0, result.output
    assert scores_in(tmp_path / "s.json") == pytest.approx({"new": score}, abs=1e-4)


def test_a_file_of_many_videos_and_one_of_several_streams(world, both, single, tmp_path: Path) -> None:
    known = predicted(single)
    names = sorted(known)[:2]
    arrays = {name: world.store.read("synthetic", name, world.specs["segments"]).features for name in names}
    np.savez(tmp_path / "many.npz", **arrays)
    options = [*SECONDS, "--json", tmp_path / "s.json"]
    assert run("score", "--features", tmp_path / "many.npz", "--run", single, *options).exit_code == 0
    assert scores_in(tmp_path / "s.json") == pytest.approx({name: known[name] for name in names}, abs=1e-4)

    known, name = predicted(both), names[0]
    streams = {s: world.store.read("synthetic", name, spec).features for s, spec in world.specs.items()}
    np.savez(tmp_path / "one.npz", **streams)
    assert run("score", "--features", tmp_path / "one.npz", "--run", both, *options).exit_code == 0
    assert scores_in(tmp_path / "s.json") == pytest.approx({"one": known[name]}, abs=1e-4)


def test_a_bad_file_is_named_and_the_others_are_scored(world, single: Path, tmp_path: Path) -> None:
    folder = save(tmp_path / "f", world, [next(iter(predicted(single)))], "segments")
    np.save(folder / "a-narrow.npy", np.ones((4, 5)))
    np.save(folder / "b-nan.npy", np.full((4, 24), np.nan))
    np.save(folder / "c-whole.npy", np.ones((4, 24), np.int64))
    result = run("score", "--features", folder, "--run", single, *SECONDS)
    assert result.exit_code == 3
    assert (
        "a-narrow.npy: segments: it has the shape (4, 5): the run was trained on (time, 24)" in result.output
    )
    assert "b-nan.npy: segments: it holds 96 values that are not finite" in result.output
    assert "c-whole.npy: segments: it holds int64: expected float16" in result.output
    assert result.output.count(": score ") == 1


def test_features_of_a_training_video_are_not_judged(world, single: Path, tmp_path: Path) -> None:
    trained_on = next(iter(load_ensemble(single).cells[0].train_ids))
    folder = save(tmp_path / "f", world, [trained_on], "segments")
    result = run("score", "--features", folder, "--run", single, *SECONDS)
    assert f"{trained_on}: not scored: this video is in the run's training set" in result.output


def test_what_a_run_of_two_streams_needs_is_told(world, both: Path, tmp_path: Path) -> None:
    name = next(iter(predicted(both)))
    save(tmp_path / "f" / "segments", world, [name], "segments")
    result = run("score", "--features", tmp_path / "f", "--run", both, *SECONDS)
    assert "the run reads segments, crops; no crops of this video was given." in result.output
    one = tmp_path / "f" / "segments" / f"{name}.npy"
    result = run("score", "--features", one, "--run", both, *SECONDS)
    assert "expected an .npz file with an array for each, named so, or a folder for each" in result.output
    (tmp_path / "empty").mkdir()
    result = run("score", "--features", tmp_path / "empty", "--run", both)
    assert result.exit_code == 1
    assert "no file of features in" in result.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "Name a VIDEO, several, or features with --features"),
        (["a.mp4", "--features", "."], "Score videos or --features, not both: a.mp4"),
        (["--features", ".", "--fps", "3", "--weights", "random:0"], "--fps, --weights: for videos"),
        (["a.mp4", "--step-seconds", "2"], "--step-seconds is for --features"),
        (["--features", ".", "--step-seconds", "crops=0"], "wants a number above 0"),
    ],
)
def test_a_wrong_command_line_is_told(both: Path, options: list[str], message: str) -> None:
    result = run("score", "--run", both, *options)
    assert result.exit_code == 2
    assert message in result.output


def test_a_run_that_tells_no_step_length_asks_for_it(world, single: Path, tmp_path: Path) -> None:
    folder = save(tmp_path / "f", world, [next(iter(predicted(single)))], "segments")
    result = run("score", "--features", folder, "--run", single)
    assert "how long a row of segments lasts: state it with --step-seconds segments=SECONDS" in result.output


def test_a_video_cannot_be_scored_by_a_run_of_simulated_features(tmp_path: Path) -> None:
    root = tmp_path / "own"
    root.mkdir()
    lines = [f"Ball_{at:03d}\t5\t5\t{10 + at / 2}\t0.00\t40" for at in range(12)]
    header = "Video_Name\tDifficulty_Score    Execution_Score Total_Score\tPenalty\tVideo_length"
    (root / "train.txt").write_text("\n".join([header, *lines[:8]]) + "\n")
    (root / "test.txt").write_text("\n".join([header, *lines[8:]]) + "\n")
    dataset, store = load_dataset("rhythmic-gymnastics", root), Store(tmp_path / "store")
    simulate(dataset, store, Simulation(), streams=["segments"])
    training = TrainingOptions(seeds=(0,), device="cpu")
    options = FitOptions(head="svr-average", splits=("ball",), training=training)
    request = FitRequest(options, dataset, store, tmp_path / "run")
    fit(request)
    result = run("score", tmp_path / "a.mp4", "--run", tmp_path / "run", "--device", "cpu")
    assert result.exit_code == 1
    assert "the run learned from simulated segments (i3d): a video cannot be made into such" in result.output
    assert "aqa score --features FILE" in result.output

    name = "Ball_010"
    (spec,) = store.specs(dataset.name, "segments")
    np.save(tmp_path / f"{name}.npy", store.read(dataset.name, name, spec).features)
    result = run("score", "--features", tmp_path / f"{name}.npy", "--run", tmp_path / "run")
    assert result.exit_code == 0, result.output
    assert f"{name}: total " in result.output
    assert "SIMULATED" in result.output
