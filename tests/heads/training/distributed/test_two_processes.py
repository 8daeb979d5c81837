"""Two processes train as one does: the same batches, gradients, losses and scores."""

import pytest
import torch
from torch import Tensor

from heads.data.batches import evaluation_batch, training_batches
from heads.data.folds import derived_seed
from heads.training.distributed.world import ALONE
from two_processes import (
    FROZEN,
    NUM_TRAIN,
    NUM_VIDEOS,
    ONE_STEP,
    RECIPE,
    SmallNet,
    make_training,
    with_gradients,
)

CLOSE = {"rtol": 0, "atol": 1e-6}


def assert_close(ours: dict[str, Tensor | None], theirs: dict[str, Tensor | None]) -> None:
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        if value is None:
            assert ours[name] is None, f"{name} has a gradient"
        else:
            torch.testing.assert_close(
                ours[name], value, **CLOSE, msg=lambda text, name=name: f"{name}: {text}"
            )


@pytest.mark.parametrize("rank", [0, 1])
def test_with_frozen_statistics_all_is_as_in_one_process(found, rank: int) -> None:
    """Three batches an epoch, the last of a single video, which both processes count half."""
    alone, shared = with_gradients(FROZEN, ALONE), found[rank]["frozen"]
    assert alone["gradients"]["unread.weight"] is None
    assert alone["gradients"]["first.weight"].abs().max() > 1e-3
    assert_close(shared["gradients"], alone["gradients"])
    assert_close(shared["state"], alone["state"])
    assert shared["losses"] == pytest.approx(alone["losses"], abs=1e-6)
    torch.testing.assert_close(shared["scores"], alone["scores"], **CLOSE)
    assert len(shared["scores"]) == NUM_VIDEOS


def test_statistics_of_batches_are_those_of_each_process_on_a_cpu(found) -> None:
    """Of one batch of 9 the first process has 5 videos, the second 4. Gradients are the mean over videos."""
    training = make_training(ONE_STEP, world=ALONE)
    torch.manual_seed(0)
    module = SmallNet(training.samples.dims)
    generator = torch.Generator().manual_seed(derived_seed(0, "batches"))
    (batch,) = training_batches(training.samples, training.fold.train, recipe=ONE_STEP, generator=generator)
    targets = torch.from_numpy(training.labels).float()[batch.videos]
    expected_loss = 0.0
    for start, stop in ((5, 9), (0, 5)):  # the first process's last, so that its running statistics stay
        module.norm.running_mean.fill_(0.3)
        module.norm.running_var.fill_(1.0)
        output = module(*({"clips": each["clips"][start:stop]} for each in (batch.features, batch.masks)))
        losses = (output.scores - targets[start:stop]) ** 2 + output.penalty
        (losses.sum() / NUM_TRAIN).backward()
        expected_loss += float(losses.detach().sum()) / NUM_TRAIN
    expected = {name: each.grad for name, each in module.named_parameters()}
    for shared in (found[0]["one step"], found[1]["one step"]):
        assert_close(shared["gradients"], expected)
        assert shared["losses"] == pytest.approx([expected_loss], abs=1e-6)
        for name in ("running_mean", "running_var"):
            torch.testing.assert_close(shared["state"][f"norm.{name}"], getattr(module.norm, name), **CLOSE)
    alone = with_gradients(ONE_STEP, ALONE)
    assert (alone["gradients"]["first.weight"] - expected["first.weight"]).abs().max() > 1e-4


@pytest.mark.parametrize("kind", ["frozen", "training"])
def test_both_processes_hold_the_same_network_and_scores(found, kind: str) -> None:
    one, other = (each[kind] for each in found)
    assert all(torch.equal(one["state"][name], other["state"][name]) for name in one["state"])
    assert torch.equal(one["scores"], other["scores"])
    assert one["losses"] == other["losses"]


def test_scores_lie_at_their_videos(found) -> None:
    """Every video once, in its order, whichever process scored it."""
    shared = found[0]["training"]
    training = make_training(RECIPE, world=ALONE)
    module = SmallNet(training.samples.dims).eval()
    module.load_state_dict(shared["state"])
    videos = torch.arange(NUM_VIDEOS).numpy()
    batch = evaluation_batch(training.samples, videos, recipe=RECIPE)
    with torch.no_grad():
        scores = module(batch.features, batch.masks).scores
    torch.testing.assert_close(shared["scores"].float(), scores, **CLOSE)


@pytest.mark.parametrize("rank", [0, 1])
def test_an_interrupted_training_goes_on_with_every_process_s_dropout(found, rank: int) -> None:
    again, whole = (found[rank]["interrupted"][name] for name in ("again", "whole"))
    assert again["losses"] == whole["losses"]
    assert all(torch.equal(again["state"][name], whole["state"][name]) for name in whole["state"])


def test_batches_smaller_than_the_world_are_refused(found) -> None:
    assert found[0]["refused"] == found[1]["refused"]
    assert (
        "2 processes cannot divide batches of 1 videos: start at most 1 (--nproc-per-node of"
        in found[0]["refused"]
    )


def test_the_others_end_without_a_word_where_the_first_process_fails(found) -> None:
    """In the making of the plan, and at the folder of the run: both before anything is trained."""
    for stage in ("resolve", "fit_plan"):
        assert [each["failed"][stage] for each in found] == [f"RunError: {stage} failed", "SystemExit: 1"]
