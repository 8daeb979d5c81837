"""Which statistics processes share, and on which device each of them trains."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from aqa_pipeline.errors import RunError
from heads.models.tube_attention import ReleasedTubeAttention
from heads.recipes import FineTuning
from heads.training.distributed.shared_network import (
    check_shareable,
    unshared_statistics,
    with_shared_statistics,
)
from heads.training.distributed.world import World
from heads.training.methods.training import Compute
from two_processes import RECIPE, make_training


def make_network() -> nn.Module:
    network = nn.Sequential(
        nn.Sequential(nn.Conv3d(3, 4, 1), nn.BatchNorm3d(4, eps=1e-3, momentum=0.9)),
        nn.BatchNorm3d(4),
        ReleasedTubeAttention(4),
    )
    network.train()
    network[1].eval()  # its statistics are frozen
    return network


def test_batch_statistics_are_shared_and_others_are_not() -> None:
    network = make_network()
    before = dict(network.named_parameters()), network.state_dict()
    shared = with_shared_statistics(network)
    kinds = {name: type(each) for name, each in shared.named_modules()}
    assert kinds["0.1"] is nn.SyncBatchNorm
    assert (shared[0][1].eps, shared[0][1].momentum, shared[0][1].training) == (1e-3, 0.9, True)
    assert kinds["1"] is nn.BatchNorm3d
    assert kinds["2.NL_1D.W.1"] is nn.BatchNorm1d, "over one video at a time, which one process has"
    assert dict(shared.named_parameters()).keys() == before[0].keys()
    assert all(each is before[0][name] for name, each in shared.named_parameters())
    assert shared.state_dict().keys() == before[1].keys()
    unshared = {id(each) for each in unshared_statistics(shared)}
    assert unshared == {id(each) for each in shared[2].NL_1D.W[1].buffers()}


def test_a_network_that_is_one_norm_is_shared_too() -> None:
    assert isinstance(with_shared_statistics(nn.BatchNorm1d(3)), nn.SyncBatchNorm)


def test_clips_in_turn_must_be_equally_many_to_share_statistics() -> None:
    """Else one process would wait forever for the statistics of a call that the other does not make."""
    tuning = FineTuning(4, (0,), 4, crop=8, normalization="imagenet", backbone_lr=1e-4)
    training = make_training(replace(RECIPE, fine_tuning=tuning), world=World(0, 2, 0))
    with pytest.raises(RunError, match="videos have 2 to 7 clips, which pass the backbone in turn"):
        check_shareable(training)
    for allowed in (
        replace(training, compute=Compute()),
        replace(training, samples=replace(training.samples, lengths={"clips": torch.full((14,), 3)})),
        replace(training, recipe=replace(RECIPE, fine_tuning=replace(tuning, batchnorm="frozen-statistics"))),
        replace(training, recipe=replace(RECIPE, fine_tuning=replace(tuning, clip_passing="packed"))),
    ):
        check_shareable(allowed)


def test_every_process_has_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert World().own_device("cuda") == "cuda"
    assert World(3, 4, 1).own_device("cpu") == "cpu"
    assert World(3, 4, 1).own_device("cuda") == "cuda:1"
    with pytest.raises(RunError, match="process 2 of this machine has no GPU: it sees 2"):
        World(2, 3, 2).own_device("cuda")
    with pytest.raises(RunError, match="'cuda:0' is one GPU for 2 processes: use cuda"):
        World(0, 2, 0).own_device("cuda:0")
