"""Trainings of a small network, by one process or by two that divide every batch (gloo, on the CPU)."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import cli
from aqa_pipeline.errors import RunError
from heads.data.feature_set import FeatureSet
from heads.data.folds import Fold
from heads.models.output import HeadOutput
from heads.recipes import Optimization, Recipe
from heads.runs.epoch import Epoch
from heads.training.distributed import fit_together
from heads.training.distributed.world import World, joined_world
from heads.training.methods.loop import train
from heads.training.methods.training import Compute, Trained, Training
from heads.training.resuming.snapshot_file import SnapshotFile

NUM_TRAIN, NUM_VIDEOS, DIM = 9, 14, 6
RECIPE = Recipe(
    epochs=2,
    batch_size=5,
    num_steps={"clips": 3},
    optimization=Optimization("sgd", lr=0.1, head_lr=0.1, momentum=0.9),
)
# Of 9 videos the last batch has one, fewer than there are processes.
FROZEN = replace(RECIPE, batch_size=4, frozen=("norm",))
ONE_STEP = replace(RECIPE, epochs=1, batch_size=NUM_TRAIN)
SNAPSHOT_AFTER = 1
STOPPED = replace(RECIPE, epochs=3)


class SmallNet(nn.Module):
    """A layer, BatchNorm over the batch, dropout if asked, a layer; and one weight that nothing reads."""

    def __init__(self, dims: Mapping[str, int], *, dropout: float = 0.0) -> None:
        super().__init__()
        self.first = nn.Linear(dims["clips"], 5)
        self.norm = nn.BatchNorm1d(5)
        self.norm.running_mean += 0.3
        self.dropout = nn.Dropout(dropout)
        self.regressor = nn.Linear(5, 1)
        self.unread = nn.Linear(2, 2)

    def forward(self, features: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> HeadOutput:
        """Return scores with a penalty and an attention that nothing is trained by."""
        mask = masks["clips"][..., None].float()
        pooled = (features["clips"] * mask).sum(1) / mask.sum(1)
        hidden = self.dropout(self.norm(self.first(pooled)).tanh())
        scores = self.regressor(hidden)[:, 0]
        return HeadOutput(scores, {"clips": features["clips"].softmax(1)[..., 0]}, penalty=0.1 * scores**2)


def make_training(recipe: Recipe, *, world: World, **changes: Any) -> Training:
    """Return a training on random features; every video has another number of steps."""
    noise = torch.Generator().manual_seed(3)
    samples = FeatureSet(
        video_ids=tuple(f"v{number}" for number in range(NUM_VIDEOS)),
        streams={"clips": torch.randn(NUM_VIDEOS, 7, DIM, generator=noise)},
        lengths={"clips": 2 + torch.arange(NUM_VIDEOS) % 6},
        pts_seconds={},
        labels=np.linspace(0.0, 1.0, NUM_VIDEOS),
    )
    fold = Fold(np.arange(NUM_TRAIN), np.empty(0, dtype=np.int64), np.arange(NUM_TRAIN, NUM_VIDEOS))
    settings: dict[str, Any] = {"build": SmallNet, "seed": 0} | changes
    return Training(
        samples=samples,
        fold=fold,
        labels=samples.labels,
        recipe=recipe,
        compute=Compute(world=world),
        **settings,
    )


def with_gradients(recipe: Recipe, world: World) -> dict[str, Any]:
    """Train, and return what came of it with the gradients of the last batch."""
    built: list[SmallNet] = []

    def build(dims: Mapping[str, int]) -> SmallNet:
        built.append(SmallNet(dims))
        return built[-1]

    trained = train(make_training(recipe, world=world, build=build))
    gradients = {name: each.grad for name, each in built[0].named_parameters()}
    return {"gradients": gradients, **as_values(trained)}


def as_values(trained: Trained) -> dict[str, Any]:
    """Return a training's state, scores and losses as what `torch.save` writes without code."""
    losses = [epoch.loss for epoch in trained.epochs]
    return {"state": dict(trained.state), "scores": torch.from_numpy(trained.scores), "losses": losses}


def dropping(dims: Mapping[str, int]) -> SmallNet:
    """Return a network with dropout."""
    return SmallNet(dims, dropout=0.4)


def interrupted(folder: Path, world: World) -> dict[str, Any]:
    """Stop a training with dropout after an epoch, go on, and return it beside an undisturbed one."""
    training = make_training(STOPPED, world=world, build=dropping)
    kept = replace(training, snapshot=SnapshotFile(folder / "snapshot", {}))

    def stop(epoch: Epoch) -> None:
        if epoch.epoch == SNAPSHOT_AFTER:
            raise KeyboardInterrupt

    try:
        train(kept, stop)
    except KeyboardInterrupt:
        torch.manual_seed(world.rank + 100)
    return {"again": as_values(train(kept)), "whole": as_values(train(training))}


def refused(world: World) -> str:
    """Return the error of a recipe whose batches are smaller than the world."""
    try:
        train(make_training(replace(RECIPE, batch_size=1), world=world))
    except Exception as error:
        return str(error)
    return ""


@dataclass(frozen=True)
class NoPlan:
    """A plan that says only which processes carry it out."""

    world: World


def failed(stage: str) -> str:
    """Return how a fit ends in this process whose `stage` fails in the first one."""

    def fail(*arguments: object, **options: object) -> None:
        raise RunError(f"{stage} failed")

    request: Any = SimpleNamespace(training=SimpleNamespace(threads=1, device="cpu"))
    before = {name: getattr(fit_together, name) for name in ("resolve", "fit_plan")}
    fit_together.resolve = lambda request: NoPlan(World())
    setattr(fit_together, stage, fail)
    try:
        fit_together.fit_together(request)
    except (RunError, SystemExit) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        for name, function in before.items():
            setattr(fit_together, name, function)
    return ""


def main() -> None:
    """Be one of two processes that `torchrun` started, with the words FOLDER, `fit` and its options.

    Write what each training gives to `FOLDER/RANK.pt`, then be the command `aqa fit`.
    """
    folder = Path(sys.argv.pop(1))
    torch.set_num_threads(1)
    with joined_world("cpu") as world:
        found = {
            "frozen": with_gradients(FROZEN, world),
            "one step": with_gradients(ONE_STEP, world),
            "training": with_gradients(RECIPE, world),
            "interrupted": interrupted(folder, world),
            "refused": refused(world),
            "failed": {stage: failed(stage) for stage in ("resolve", "fit_plan")},
        }
        torch.save(found, folder / f"{world.rank}.pt")
    cli.main()


if __name__ == "__main__":
    main()
