"""With `ema` the moving average of the weights is evaluated and kept; training itself does not change."""

from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_post_hook

from aqa_pipeline.plugins import plugged_in, read_plugin
from aqa_pipeline.records import Dataset
from aqa_pipeline.store import Store
from heads.commands.fine_tune_options import chosen_fine_tuning
from heads.data.folds import Select
from heads.recipes import FineTuning, Recipe
from heads.recipes.papers import SYNTHETIC
from heads.runs.config import read_config
from heads.runs.trained_cell import cell_folder, read_cell, read_state
from heads.training.fit import Progress, fit
from heads.training.methods.moving_average import average_of
from heads.training.options import FineTuneOptions, FitOptions, FitRequest, TrainingOptions
from pixel_world import TINY3D, make_pixel_world

DECAY = 0.8
World = tuple[Dataset, Store]


@pytest.fixture
def bright(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "tiny3d.py").write_text(TINY3D)
    with plugged_in([read_plugin(tmp_path / "tiny3d.py")]):
        yield make_pixel_world(tmp_path)


def request(world: World, out: Path, *, ema: float = DECAY, select: Select = "last") -> FitRequest:
    options = FitOptions(
        head="wd",
        fine_tune=FineTuneOptions(backbone="tiny3d", weights="random:0", ema=ema),
        training=TrainingOptions(seeds=(0,), epochs=3, device="cpu", select=select, baselines=False),
    )
    return FitRequest(options, *world, out)


def contents(run: Path) -> dict[str, bytes]:
    return {str(path.relative_to(run)): path.read_bytes() for path in run.rglob("*") if path.is_file()}


def test_weights_and_statistics_are_averaged() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    tuning = FineTuning(4, (0,), 4, crop=8, normalization="imagenet", backbone_lr=1e-4, ema=DECAY)
    recipe = Recipe(2, 4, {"pixels": 1}, SYNTHETIC.optimization, fine_tuning=tuning)
    average = average_of(module, recipe)
    assert average is not None
    expected: dict[str, Tensor] = {}
    for _ in range(4):
        with torch.no_grad():
            module[0].weight += torch.randn(2, 3)
        module(torch.randn(5, 3))
        average.update_parameters(module)
        for name, value in module.state_dict().items():
            before = expected.get(name, value)
            expected[name] = DECAY * before + (1 - DECAY) * value
    kept = average.module.state_dict()
    for name in ("0.weight", "0.bias", "1.running_mean", "1.running_var"):
        torch.testing.assert_close(kept[name], expected[name])
    assert not torch.equal(kept["0.weight"], module[0].weight)
    assert average_of(module, SYNTHETIC) is None


def test_the_average_is_evaluated_and_kept(bright: World, tmp_path: Path) -> None:
    """The kept weights are the average of those after each step, and the losses are those without it."""
    steps: list[list[Tensor]] = []

    def remember(optimizer: torch.optim.Optimizer, *_: object) -> None:
        steps.append([each.detach().clone() for group in optimizer.param_groups for each in group["params"]])

    handle = register_optimizer_step_post_hook(remember)
    try:
        fit(request(bright, tmp_path / "averaged"))
    finally:
        handle.remove()
    expected = steps[0]
    for weights in steps[1:]:
        expected = [DECAY * before + (1 - DECAY) * now for before, now in zip(expected, weights, strict=True)]
    kept = read_state(cell_folder(tmp_path / "averaged", split="only", seed=0)).values()
    for each in expected:
        assert any(each.shape == its.shape and torch.allclose(each, its, atol=1e-6) for its in kept)

    fit(request(bright, tmp_path / "plain", ema=0.0))
    averaged, plain = (read_cell(tmp_path / name, split="only", seed=0) for name in ("averaged", "plain"))
    assert [epoch.loss for epoch in averaged.epochs] == [epoch.loss for epoch in plain.epochs]
    scores = [[row.predicted for row in cell.predictions] for cell in (averaged, plain)]
    assert np.abs(np.subtract(*scores)).max() > 1e-3


@pytest.mark.parametrize("select", ["last", "best-on-test"])
def test_an_interrupted_fit_goes_on_with_its_average(bright: World, tmp_path: Path, select: Select) -> None:
    def stop(progress: Progress) -> None:
        if progress.epoch is not None and progress.epoch.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(request(bright, tmp_path / "stopped", select=select), stop)
    assert (tmp_path / "stopped" / "split-only" / ".seed-0.snapshot").is_file()
    fit(request(bright, tmp_path / "stopped", select=select))
    fit(request(bright, tmp_path / "whole", select=select))
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")


def test_a_repetition_takes_the_average_from_the_config(bright: World, tmp_path: Path) -> None:
    fit(request(bright, tmp_path / "run"))
    options = FitOptions.from_config(read_config(tmp_path / "run"))
    assert options.fine_tune is not None
    assert options.fine_tune.ema == DECAY


def test_the_option_goes_with_fine_tuning() -> None:
    given = {
        "weights": None,
        "freeze_until": None,
        "checkpoint_activations": False,
        "backbones": (),
        "ema": 0.9,
    }
    with pytest.raises(click.UsageError, match="--ema goes with --fine-tune only"):
        chosen_fine_tuning({"fine_tune": False, **given})
    chosen = chosen_fine_tuning({"fine_tune": True, **given})
    assert chosen is not None
    assert chosen.ema == 0.9
