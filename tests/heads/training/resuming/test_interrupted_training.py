"""An interrupted training goes on from its snapshot and ends as if it had never stopped, bit for bit."""

import dataclasses
import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from aqa_pipeline.records import Target
from heads.data.feature_set import FeatureSet, load_features
from heads.data.folds import Select, make_fold
from heads.data.score_scale import scale_of
from heads.models.output import HeadOutput
from heads.recipes.papers import SYNTHETIC
from heads.runs.epoch import Epoch
from heads.training.methods import loop
from heads.training.methods.kept_epoch import Keeper
from heads.training.methods.training import Trained, Training
from heads.training.resuming.snapshot_file import SnapshotFile
from heads.training.resuming.training_state import TrainingState

EPOCHS = 4
RECIPE = dataclasses.replace(
    SYNTHETIC.with_optimization(momentum=0.9), epochs=EPOCHS, num_steps={"segments": 6, "crops": 10}
)


class NormedNet(nn.Module):
    """Dropout and batch normalization, so that torch's generator and the buffers count."""

    def __init__(self, dims: dict[str, int]) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Linear(sum(dims.values()), 8), nn.BatchNorm1d(8), nn.Dropout(0.3))
        self.regressor = nn.Linear(8, 1)

    def forward(self, features: dict[str, Tensor], masks: dict[str, Tensor]) -> HeadOutput:
        pooled = torch.cat([features[name].mean(1) for name in sorted(features)], dim=1)
        return HeadOutput(self.regressor(self.stem(pooled))[:, 0], {})


@pytest.fixture
def samples(world) -> FeatureSet:
    ids = [video.video_id for video in world.dataset.videos[:24]]
    return load_features(world.store, world.dataset, world.specs, target=Target("score"), video_ids=ids)


@pytest.fixture
def trained_epochs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the list of passes over the training set, which grows."""
    passes: list[int] = []
    draw = loop.training_batches

    def counted(*arguments, **options):
        passes.append(1)
        return draw(*arguments, **options)

    monkeypatch.setattr(loop, "training_batches", counted)
    return passes


def make_training(
    samples: FeatureSet, file: SnapshotFile | None, *, optimizer: str = "sgd", select: Select = "last"
) -> Training:
    fold = make_fold(np.arange(16), np.arange(16, 24), select=select, seed=0)
    labels = scale_of(Target("score"), samples.labels[fold.train]).normalise(samples.labels)
    recipe = RECIPE.with_optimization(optimizer=optimizer)
    return Training(NormedNet, samples, fold, labels, recipe, seed=0, select=select, snapshot=file)


def stop_after(epoch: int):
    def on_epoch(told: Epoch) -> None:
        if told.epoch == epoch:
            raise KeyboardInterrupt

    return on_epoch


def assert_equal(one: Trained, other: Trained) -> None:
    assert repr(one.epochs) == repr(other.epochs)  # as text, where nan equals nan
    assert one.chosen_epoch == other.chosen_epoch
    np.testing.assert_array_equal(one.scores, other.scores)
    assert one.state.keys() == other.state.keys()
    assert all(torch.equal(one.state[name], other.state[name]) for name in one.state)


@pytest.mark.parametrize(
    ("optimizer", "select"), [("sgd", "last"), ("adamw", "val"), ("adam", "best-on-test")]
)
@pytest.mark.parametrize("stop", [1, 3])
def test_it_ends_as_if_it_had_never_stopped(
    samples, tmp_path: Path, trained_epochs, optimizer: str, select: Select, stop: int
) -> None:
    whole = loop.train(make_training(samples, None, optimizer=optimizer, select=select))
    training = make_training(
        samples, SnapshotFile(tmp_path / "one", {"seed": "0"}), optimizer=optimizer, select=select
    )
    with pytest.raises(KeyboardInterrupt):
        loop.train(training, stop_after(stop))
    trained_epochs.clear()
    torch.manual_seed(5)  # what the process drew before does not matter
    told: list[Epoch] = []
    again = loop.train(training, told.append)
    assert len(trained_epochs) == EPOCHS - stop
    assert [epoch.epoch for epoch in told] == [1, 2, 3, 4], "epochs of before are told too"
    assert_equal(again, whole)


def test_a_finished_training_trains_nothing_again(samples, tmp_path: Path, trained_epochs) -> None:
    """As after a kill between the last epoch and the files of the cell."""
    training = make_training(samples, SnapshotFile(tmp_path / "one", {"seed": "0"}))
    first = loop.train(training)
    trained_epochs.clear()
    assert_equal(loop.train(training), first)
    assert not trained_epochs


def test_the_snapshot_itself_changes_nothing(samples, tmp_path: Path) -> None:
    assert_equal(
        loop.train(make_training(samples, SnapshotFile(tmp_path / "one", {}))),
        loop.train(make_training(samples, None)),
    )


def test_another_start_is_another_training(samples, tmp_path: Path, trained_epochs, caplog) -> None:
    """As with another checkpoint for the network, which no digest of the features holds."""
    training = make_training(samples, SnapshotFile(tmp_path / "one", {"seed": "0"}))
    with pytest.raises(KeyboardInterrupt):
        loop.train(training, stop_after(3))
    trained_epochs.clear()
    with caplog.at_level(logging.WARNING):
        loop.train(dataclasses.replace(training, seed=1))
    assert len(trained_epochs) == EPOCHS
    assert "is of another training (with another start) and not used" in caplog.text


def test_a_snapshot_of_another_layout_is_not_read(
    samples, tmp_path: Path, trained_epochs, caplog, monkeypatch
) -> None:
    """As after a new version of this package, which would look for tensors that are not there."""
    training = make_training(samples, SnapshotFile(tmp_path / "one", {"seed": "0"}))
    with monkeypatch.context() as patch:
        patch.setattr(loop, "LAYOUT", "1")
        with pytest.raises(KeyboardInterrupt):
            loop.train(training, stop_after(3))
    trained_epochs.clear()
    with caplog.at_level(logging.WARNING):
        loop.train(training)
    assert len(trained_epochs) == EPOCHS
    assert "with another layout" in caplog.text


def test_moments_keep_the_memory_layout_of_their_parameter() -> None:
    """Fused optimizers read both as they lie, and files hold rows."""
    states = []
    for _ in range(2):
        module = nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)
        optimizer = torch.optim.AdamW(module.parameters(), fused=True)
        states.append(TrainingState(module, optimizer, torch.Generator(), Keeper("last")))
    before, after = states
    before.module(torch.ones(1, 3, 5, 5)).sum().backward()
    before.optimizer.step()
    epoch = Epoch(1, 0.5, 0.1, 0.1, float("nan"), 0.5)
    before.epochs.append(epoch)
    before.keeper.see(epoch, before.module)
    snapshot = before.to_snapshot()
    rows = {name: tensor.contiguous() for name, tensor in snapshot.tensors.items()}
    after.restore(dataclasses.replace(snapshot, tensors=rows))
    moments = after.optimizer.state[after.module.weight]
    assert moments["exp_avg"].stride() == after.module.weight.stride() != rows["module/weight"].stride()
    assert torch.equal(moments["exp_avg"], before.optimizer.state[before.module.weight]["exp_avg"])
