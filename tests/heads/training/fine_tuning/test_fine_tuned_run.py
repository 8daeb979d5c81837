"""A run that trains backbone and head together: fitted, evaluated, repeated, scored."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file

import cli
from aqa_pipeline.backbones.registry import get_backbone
from aqa_pipeline.backbones.with_weights import network_with_weights
from aqa_pipeline.errors import RunError, WeightsError
from aqa_pipeline.plugins import plugged_in, read_plugin
from aqa_pipeline.records import Dataset, Source
from aqa_pipeline.store import Store
from aqa_pipeline.weights import sha256_of
from heads.models.fine_tuned import FineTuned
from heads.runs.config import read_config
from heads.runs.trained_cell import cell_folder, read_state
from heads.scoring.ensemble import load_ensemble
from heads.scoring.predict import predict
from heads.scoring.scorer import make_scorer, score_video
from heads.training.fit import fit
from heads.training.options import FeatureOptions, FineTuneOptions, FitOptions, FitRequest, TrainingOptions
from pixel_world import PIXELS, SIZE, TINY3D, make_pixel_world

World = tuple[Dataset, Store]


@pytest.fixture(autouse=True)
def _tiny3d(tmp_path: Path) -> Iterator[None]:
    (tmp_path / "tiny3d.py").write_text(TINY3D)
    with plugged_in([read_plugin(tmp_path / "tiny3d.py")]):
        yield


@pytest.fixture
def bright(tmp_path: Path) -> World:
    return make_pixel_world(tmp_path)


def request(world: World, out: Path, *, head: str = "wd", epochs: int = 20, **options: object) -> FitRequest:
    dataset, store = world
    chosen = FitOptions(
        head=head,
        fine_tune=FineTuneOptions(backbone="tiny3d", weights="random:0", **options),
        training=TrainingOptions(seeds=(0,), epochs=epochs, device="cpu"),
    )
    return FitRequest(chosen, dataset, store, out)


def state_of(run: Path) -> dict[str, torch.Tensor]:
    return read_state(cell_folder(run, split="only", seed=0))


def test_backbone_and_head_learn_and_score(bright: World, tmp_path: Path) -> None:
    summary = fit(request(bright, tmp_path / "run"))
    assert summary.evaluation.overall.mean == 1.0
    assert any("FROM SCRATCH" in note for note in summary.notes)
    ensemble = load_ensemble(tmp_path / "run")
    _, store = bright
    answer = predict(ensemble, {"pixels": store.read("bright", "v11", PIXELS)})
    rows = (tmp_path / "run/split-only/seed-0/predictions.csv").read_text().splitlines()
    (written,) = [float(row.split(",")[3]) for row in rows if row.startswith("v11,")]
    assert answer.score == pytest.approx(written, abs=1e-5)
    assert answer.pts_seconds["pixels"].shape == (1, 2)
    scored = score_video(make_scorer(ensemble), "v11", {"pixels": store.read("bright", "v11", PIXELS)})
    assert scored.prediction.score == answer.score
    black = np.zeros((20, *SIZE, 3), np.uint8)
    strange = replace(store.read("bright", "v11", PIXELS), features=black, source=Source("another file"))
    told = score_video(make_scorer(ensemble), "black", {"pixels": strange}).warnings
    assert any("The colors differ from the training videos" in warning for warning in told)
    assert answer.step_scores["pixels"].shape == answer.effects["pixels"].shape == (1,)


def test_the_backbone_is_what_changes_it(bright: World, tmp_path: Path) -> None:
    fit(request(bright, tmp_path / "run", epochs=1))
    fit(request(bright, tmp_path / "frozen", epochs=1, freeze_until="4"))
    fit(request(bright, tmp_path / "half", epochs=1, freeze_until="1"))
    tuned, frozen, half = (state_of(tmp_path / name) for name in ("run", "frozen", "half"))
    first, last = "backbone.0.weight", "backbone.3.weight"
    assert not torch.equal(tuned[first], frozen[first])
    assert torch.equal(half[first], frozen[first])
    assert not torch.equal(half[last], frozen[last])


def test_the_tuned_backbone_is_a_checkpoint_of_it(bright: World, tmp_path: Path) -> None:
    """Its features of a reference clip are those that the run's network gives to its head."""
    fit(request(bright, tmp_path / "run", epochs=1))
    file = tmp_path / "tuned.safetensors"
    words = ["run", "backbone", str(tmp_path / "run"), "--out", str(file)]
    result = CliRunner().invoke(cli.main, words)
    assert result.exit_code == 0, result.output
    assert f"next: aqa extract --backbone tiny3d --weights {file}" in result.output
    weights, build = network_with_weights(get_backbone("tiny3d"), str(file), size=112)
    assert weights == f"sha256:{sha256_of(file)}"
    (cell,) = load_ensemble(tmp_path / "run").cells
    clips = torch.rand(2, 3, 8, 112, 112)
    assert isinstance(cell.module, FineTuned)
    torch.testing.assert_close(build().eval()(clips), cell.module.backbone(clips))


def test_a_run_is_repeated_bit_for_bit(bright: World, tmp_path: Path) -> None:
    fit(request(bright, tmp_path / "run", epochs=2))
    dataset, store = bright
    options = FitOptions.from_config(read_config(tmp_path / "run"))
    fit(FitRequest(options, dataset, store, tmp_path / "again"))
    one, two = state_of(tmp_path / "run"), state_of(tmp_path / "again")
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_run_from_known_weights_names_them_and_finds_them_again(
    bright: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The digest in config.json leads to the file that `aqa weights` keeps."""
    file = tmp_path / "start.safetensors"
    state = get_backbone("tiny3d").build().state_dict()
    save_file(state, file)
    dataset, store = bright
    chosen = FitOptions(
        head="wd",
        fine_tune=FineTuneOptions(backbone="tiny3d", weights=str(file)),
        training=TrainingOptions(seeds=(0,), epochs=1, device="cpu"),
    )
    fit(FitRequest(chosen, dataset, store, tmp_path / "run"))
    options = FitOptions.from_config(read_config(tmp_path / "run"))
    assert options.fine_tune is not None
    assert options.fine_tune.weights == f"sha256:{sha256_of(file)}"
    with pytest.raises(WeightsError, match="no file of `aqa weights` has the SHA-256"):
        fit(FitRequest(options, dataset, store, tmp_path / "again"))
    kept = [SimpleNamespace(present=True, path=file)]
    monkeypatch.setattr("aqa_pipeline.weights.status", lambda: kept)
    fit(FitRequest(options, dataset, store, tmp_path / "again"))
    one, two = state_of(tmp_path / "run"), state_of(tmp_path / "again")
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_videos_of_different_lengths_are_read_whole(tmp_path: Path) -> None:
    world = make_pixel_world(tmp_path, num_frames=(20, 33))
    summary = fit(request(world, tmp_path / "run"))
    assert summary.evaluation.overall.mean == 1.0
    ensemble = load_ensemble(tmp_path / "run")
    answer = predict(ensemble, {"pixels": world[1].read("bright", "v11", PIXELS)})
    np.testing.assert_allclose(answer.pts_seconds["pixels"][-1], [0.04 * 25, 0.04 * 33])
    assert answer.attention["pixels"].sum() == pytest.approx(1, abs=1e-5)
    assert len(answer.step_scores["pixels"]) == 5


def test_checkpointed_activations_change_nothing(bright: World, tmp_path: Path) -> None:
    fit(request(bright, tmp_path / "run", epochs=1))
    fit(request(bright, tmp_path / "less", epochs=1, checkpoint_activations=True))
    one, two = state_of(tmp_path / "run"), state_of(tmp_path / "less")
    for name in one:
        torch.testing.assert_close(one[name], two[name], rtol=1e-5, atol=1e-6, msg=name)


def test_the_papers_recipe_trains_too(bright: World, tmp_path: Path) -> None:
    chosen = request(bright, tmp_path / "run", epochs=1).options
    chosen = FitOptions(**(dict(chosen) | {"variant": "released"}))
    fit(FitRequest(chosen, *bright, tmp_path / "run"))
    recipe = read_config(tmp_path / "run").splits["only"].recipe
    assert recipe.fine_tuning is not None
    assert recipe.fine_tuning.batchnorm == "train"


def test_a_head_on_features_does_not_read_pixels(bright: World, tmp_path: Path) -> None:
    dataset, store = bright
    chosen = FitOptions(head="wd", features=FeatureOptions(streams=("pixels",)))
    with pytest.raises(RunError, match="wd reads pixels only while it is fine-tuned: add --fine-tune"):
        fit(FitRequest(chosen, dataset, store, tmp_path / "run"))


def test_a_head_between_stages_needs_a_network_with_maps(bright: World, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="backbone tiny3d has no such maps"):
        fit(request(bright, tmp_path / "run", head="plain-net", epochs=1))


def test_random_weights_get_the_statistics_of_their_batches(bright: World, tmp_path: Path) -> None:
    fit(request(bright, tmp_path / "run", epochs=1))
    its = read_config(tmp_path / "run").splits["only"].recipe.fine_tuning
    assert its is not None
    assert (its.batchnorm, its.layer_decay) == ("train", 1.0)
    statistics = [each for name, each in state_of(tmp_path / "run").items() if "running_mean" in name]
    assert statistics
    assert all(each.any() for each in statistics)
