"""Scoring a new video with a trained run."""

import dataclasses
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from aqa_pipeline.errors import RunError, SpecMismatch, UnknownName
from aqa_pipeline.records import Record, Split, StreamSpec
from heads.registry import HEADS
from heads.runs.trained_cell import cell_folder, read_cell
from heads.scoring.ensemble import load_ensemble
from heads.scoring.predict import predict
from heads.training.fit import fit


def streams(world, video_id: str) -> Mapping[str, Record]:
    return {stream: world.store.read("synthetic", video_id, spec) for stream, spec in world.specs.items()}


@pytest.mark.parametrize("variant", ["paper", "released"])
def test_scores_are_those_of_the_run(world, tmp_path: Path, variant: str) -> None:
    """Every video scored alone gets what predictions.csv says, up to float32 sums in another order."""
    fit(world.request(tmp_path / "run", seeds=(0, 1), variant=variant))
    ensemble = load_ensemble(tmp_path / "run")
    cells = [read_cell(tmp_path / "run", split="first", seed=seed) for seed in (0, 1)]
    for video_id in ("routine-00", "routine-03", "routine-39"):
        expected = [row.predicted for cell in cells for row in cell.predictions if row.video_id == video_id]
        prediction = predict(ensemble, streams(world, video_id))
        assert prediction.scores == pytest.approx(expected, abs=1e-4)
        assert prediction.score == pytest.approx(np.mean(expected), abs=1e-4)
        assert prediction.std == pytest.approx(np.std(expected, ddof=1), abs=1e-4)
        assert prediction.seen_in_training == (video_id != "routine-39")


def test_attention_stands_beside_its_time(world, tmp_path: Path) -> None:
    fit(world.request(tmp_path / "run", seeds=(0, 1)))
    records = streams(world, "routine-07")
    prediction = predict(load_ensemble(tmp_path / "run"), records)
    for stream, record in records.items():
        np.testing.assert_array_equal(prediction.pts_seconds[stream], record.pts_seconds)
        assert prediction.attention[stream].shape == (len(record.features),)
        assert prediction.attention[stream].sum() == pytest.approx(1, abs=1e-6)


def test_released_attends_to_its_window_only(world, tmp_path: Path) -> None:
    """A window of 6 of 9 segments is the middle, rounded down: steps 1 to 6."""
    fit(world.request(tmp_path / "run", variant="released"))
    ensemble = load_ensemble(tmp_path / "run")
    assert ensemble.cells[0].recipe.num_steps["segments"] == 6
    by_length = {
        len(streams(world, v)["segments"].features): v
        for v in world.store.video_ids("synthetic", world.specs["segments"])
    }
    attention = predict(ensemble, streams(world, by_length[9])).attention["segments"]
    assert (attention > 0).tolist() == [False] + [True] * 6 + [False] * 2
    assert attention.sum() == pytest.approx(1, abs=1e-6)


def test_no_athlete_means_no_attention_but_a_score(world, tmp_path: Path) -> None:
    fit(world.request(tmp_path / "run"))
    prediction = predict(load_ensemble(tmp_path / "run"), streams(world, world.empty_crops))
    assert prediction.attention["crops"].shape == (0,)
    assert np.isfinite(prediction.score)
    assert np.isnan(prediction.std), "one seed has no spread"


def test_splits_of_the_same_videos_score_together(world, tmp_path: Path) -> None:
    fit(world.request(tmp_path / "run", splits=("first", "second")))
    assert [cell.split for cell in load_ensemble(tmp_path / "run").cells] == ["first", "second"]
    with pytest.raises(UnknownName, match="unknown split of the run 'third'"):
        load_ensemble(tmp_path / "run", split="third")
    assert [cell.split for cell in load_ensemble(tmp_path / "run", split="second").cells] == ["second"]
    assert [cell.split for cell in load_ensemble(tmp_path / "run", split="all").cells] == ["first", "second"]


def test_splits_of_different_videos_need_a_choice(world, tmp_path: Path) -> None:
    """One split for each apparatus: their mean would be a score on nothing."""
    ids = [video.video_id for video in world.dataset.videos]
    halves = {
        name: Split(name, train=tuple(half[:-4]), test=tuple(half[-4:]))
        for name, half in (("ball", ids[: len(ids) // 2]), ("hoop", ids[len(ids) // 2 :]))
    }
    dataset = dataclasses.replace(world.dataset, splits=halves)
    fit(dataclasses.replace(world.request(tmp_path / "run", splits=("ball", "hoop")), dataset=dataset))
    with pytest.raises(RunError, match=r"2 splits of different videos \(ball, hoop\).* choose one"):
        load_ensemble(tmp_path / "run")


def test_features_made_another_way_are_refused(world, tmp_path: Path) -> None:
    fit(world.request(tmp_path / "run"))
    records = dict(streams(world, "routine-07"))
    other = StreamSpec("crops", {"backbone": "toy-2d", "fps": 2.0})
    records["crops"] = dataclasses.replace(records["crops"], spec=other)
    with pytest.raises(
        SpecMismatch, match=r"(?s)learned from other crops \(run != video\):\n  fps: 1.0 != 2.0\n"
    ):
        predict(load_ensemble(tmp_path / "run"), records)


def test_a_missing_stream_is_named(world, tmp_path: Path) -> None:
    fit(world.request(tmp_path / "run"))
    records = dict(streams(world, "routine-07"))
    del records["crops"]
    with pytest.raises(
        RunError, match=r"reads \['segments', 'crops'\]; \['crops'\] of this video were not given"
    ):
        predict(load_ensemble(tmp_path / "run"), records)


def test_a_video_without_any_step_is_refused(world, tmp_path: Path) -> None:
    fit(world.request(tmp_path / "run"))
    records = {
        stream: world.record("new", spec, np.zeros((0, world.dims[stream])))
        for stream, spec in world.specs.items()
    }
    with pytest.raises(RunError, match="the video has no step in any of"):
        predict(load_ensemble(tmp_path / "run"), records)


def test_features_of_another_size_are_refused(world, tmp_path: Path) -> None:
    fit(world.request(tmp_path / "run"))
    records = dict(streams(world, "routine-07"))
    records["crops"] = world.record("new", world.specs["crops"], np.zeros((3, 7)))
    with pytest.raises(RunError, match="the 'crops' features have 7 dimensions, the run learned from 40"):
        predict(load_ensemble(tmp_path / "run"), records)


def test_an_unfinished_run_cannot_score(world, tmp_path: Path) -> None:
    fit(world.request(tmp_path / "run"))
    (cell_folder(tmp_path / "run", split="first", seed=0) / "cell.json").unlink()
    with pytest.raises(RunError, match="has no finished trained cell"):
        load_ensemble(tmp_path / "run")


def changed_config(run_dir: Path, change: Callable[[dict], object]) -> None:
    config = json.loads((run_dir / "config.json").read_text())
    change(config)
    (run_dir / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda config: config["streams"]["crops"].update(dim=999_999),
            r"has the shape .*, expected .*999999",
        ),
        (lambda config: config["streams"]["crops"].update(dim=41), r"tensors? differ"),
        (lambda config: config["splits"]["first"]["recipe"].update(num_components=10**9), "differ"),
        (lambda config: config["splits"]["first"]["recipe"].update(num_components=5), "differ"),
    ],
)
def test_a_network_that_config_json_claims_is_not_built_unless_it_is_stored(
    world, tmp_path: Path, monkeypatch, change, reason
) -> None:
    fit(world.request(tmp_path / "run"))
    changed_config(tmp_path / "run", change)
    built = []
    zeros = torch.nn.Module.load_state_dict
    monkeypatch.setattr(
        torch.nn.Module, "load_state_dict", lambda *arguments: built.append(1) or zeros(*arguments)
    )
    largest = []
    with torch.device("meta"):
        real = torch.empty
        real(1)  # torch lists its constructors at the first use of a device, and keeps the list

    def empty(*size, **options):
        made = real(*size, **options)
        if made.device.type != "meta":
            largest.append(made.numel())
        return made

    monkeypatch.setattr(torch, "empty", empty)
    with pytest.raises(RunError, match=rf"does not fit config\.json: .*{reason}"):
        load_ensemble(tmp_path / "run")
    assert not built
    assert max(largest, default=0) < 1000


@pytest.mark.parametrize("kind", ["config.json", "cell.json", "predictions.csv", "model.safetensors"])
def test_a_pipe_in_a_run_is_not_waited_for(world, tmp_path: Path, kind: str) -> None:
    fit(world.request(tmp_path / "run"))
    cell = cell_folder(tmp_path / "run", split="first", seed=0)
    path = (tmp_path / "run" if kind == "config.json" else cell) / kind
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(RunError, match=r"it is a pipe|has no finished trained cell"):
        load_ensemble(tmp_path / "run", split="first")


@pytest.mark.parametrize("head", HEADS)
def test_every_network_has_its_shapes_without_memory(head: str) -> None:
    """What the check of a stranger's run compares with."""
    of_head = HEADS[head]
    dim = 480 if of_head.reads_maps else 12
    dims = dict.fromkeys(of_head.streams, dim)
    for variant in of_head.variants:
        with torch.device("meta"):
            claimed = of_head.build(dims, variant).state_dict()
        built = of_head.build(dims, variant).state_dict()
        assert {name: tensor.shape for name, tensor in claimed.items()} == {
            name: tensor.shape for name, tensor in built.items()
        }
        assert all(tensor.is_meta for tensor in claimed.values())


@pytest.mark.parametrize("depth", [0, 1])
def test_no_link_leads_out_of_a_run(world, tmp_path: Path, depth: int) -> None:
    """A stranger's run could have cells written, and cleared away, anywhere."""
    request = world.request(tmp_path / "run")
    fit(request)
    cell = cell_folder(tmp_path / "run", split="first", seed=0)
    folder = (cell, cell.parent)[depth]
    folder.rename(tmp_path / "outside")
    folder.symlink_to(tmp_path / "outside")
    before = {path: path.read_bytes() for path in (tmp_path / "outside").rglob("*") if path.is_file()}
    for command in (lambda: load_ensemble(tmp_path / "run", split="first"), lambda: fit(request)):
        with pytest.raises(RunError, match="is a link, which is never followed"):
            command()
    assert {p: p.read_bytes() for p in (tmp_path / "outside").rglob("*") if p.is_file()} == before
