"""Training: repeatable, untouched by and not touching the outside, finding what is there."""

import dataclasses
import math
from collections.abc import Mapping

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from aqa_pipeline.errors import RunError
from aqa_pipeline.records import Target
from heads.data.batches import evaluation_batch, training_batches
from heads.data.feature_set import FeatureSet, load_features
from heads.data.folds import Fold, Select, make_fold
from heads.data.score_scale import scale_of
from heads.models.action_net import ActionNet
from heads.models.feature_scaling.whitening import Whitened
from heads.models.output import HeadOutput
from heads.recipes import Recipe
from heads.recipes.papers import SYNTHETIC
from heads.runs.epoch import Epoch
from heads.training.methods.loop import train
from heads.training.methods.predictions import score_videos
from heads.training.methods.prepared_network import prepare_module
from heads.training.methods.training import Trained, Training

RECIPE = dataclasses.replace(
    SYNTHETIC.with_optimization(milestones=(3,)), epochs=4, num_steps={"segments": 6, "crops": 10}
)


@pytest.fixture
def samples(world) -> FeatureSet:
    ids = [video.video_id for video in world.dataset.videos[:20]]
    return load_features(world.store, world.dataset, world.specs, target=Target("score"), video_ids=ids)


FOLD = Fold(np.arange(14), np.empty(0, dtype=np.int64), np.arange(14, 20))


def run(samples: FeatureSet, *, recipe: Recipe = RECIPE, seed: int = 0, **changes: object) -> Trained:
    labels = scale_of(Target("score"), samples.labels[FOLD.train]).normalise(samples.labels)
    settings: dict = {"fold": FOLD, "labels": labels, "recipe": recipe, "seed": seed} | changes
    on_epoch = settings.pop("on_epoch", None)
    return train(Training(ActionNet, samples, **settings), on_epoch)


def test_the_validation_set_is_scored_after_every_third_epoch_and_the_last(samples: FeatureSet) -> None:
    labels = scale_of(Target("score"), samples.labels).normalise(samples.labels)
    fold = Fold(np.arange(10), np.arange(10, 20), np.empty(0, dtype=np.int64))
    training = Training(ActionNet, samples, fold, labels, RECIPE, seed=0)
    every, third = {}, {}
    train(training, on_validation=every.__setitem__)
    found = train(training, on_validation=third.__setitem__, validate_every=3)
    assert list(every) == [1, 2, 3, 4]
    assert list(third) == [3, 4]
    for epoch, scores in third.items():
        np.testing.assert_array_equal(scores, every[epoch], "scoring changes nothing that is learned")
    assert [math.isnan(epoch.validation) for epoch in found.epochs] == [True, True, False, False]


def test_the_same_seed_gives_the_same_bits(samples: FeatureSet) -> None:
    torch.manual_seed(1)
    first = run(samples)
    torch.manual_seed(2)
    second = run(samples)
    assert repr(first.epochs) == repr(second.epochs)  # as text, where nan equals nan
    np.testing.assert_array_equal(first.scores, second.scores)
    assert all(torch.equal(first.state[name], second.state[name]) for name in first.state)
    assert not np.array_equal(first.scores, run(samples, seed=1).scores)


def test_the_global_random_state_is_left_alone(samples: FeatureSet) -> None:
    torch.manual_seed(7)
    np.random.seed(7)
    expected_torch, expected_numpy = torch.rand(3), np.random.rand(3)
    torch.manual_seed(7)
    np.random.seed(7)
    run(samples)
    assert torch.equal(torch.rand(3), expected_torch)
    np.testing.assert_array_equal(np.random.rand(3), expected_numpy)


def test_every_epoch_is_told_with_its_rates(samples: FeatureSet) -> None:
    told = []
    trained = run(samples, on_epoch=told.append)
    assert tuple(told) == trained.epochs
    assert [epoch.epoch for epoch in told] == [1, 2, 3, 4]
    assert [epoch.lr for epoch in told] == pytest.approx(
        [RECIPE.optimization.lr * decay for decay in (1, 1, 1, 0.1)]
    )
    assert [epoch.head_lr for epoch in told] == pytest.approx([0.05, 0.05, 0.05, 0.005])
    assert all(math.isnan(epoch.validation) for epoch in told)


def test_the_rates_of_an_epoch_are_those_used(samples: FeatureSet) -> None:
    """A recipe that decays to nothing after epoch 2 stands still from then on."""
    still = RECIPE.with_optimization(milestones=(2,), gamma=0.0)
    short = run(samples, recipe=dataclasses.replace(still, epochs=2))
    long = run(samples, recipe=still)
    assert all(torch.equal(short.state[name], long.state[name]) for name in short.state)


def test_each_video_is_seen_once_per_epoch_and_the_last_batch_is_kept(samples: FeatureSet) -> None:
    batches = list(
        training_batches(samples, FOLD.train, recipe=RECIPE, generator=torch.Generator().manual_seed(0))
    )
    assert [len(batch.videos) for batch in batches] == [8, 6]
    assert sorted(torch.cat([batch.videos for batch in batches]).tolist()) == list(range(14))
    assert batches[0].features["segments"].shape == (8, 6, 24)


def test_testing_sees_the_same_in_any_company(samples: FeatureSet) -> None:
    torch.manual_seed(0)
    module = ActionNet(samples.dims)
    together = score_videos(module, samples, np.arange(20), recipe=RECIPE)
    alone = [score_videos(module, samples, np.array([v]), recipe=RECIPE)[0] for v in range(20)]
    np.testing.assert_allclose(together, alone, atol=1e-6)
    assert module.training, "the mode is restored"


def test_released_testing_sees_fixed_windows(samples: FeatureSet) -> None:
    recipe = dataclasses.replace(RECIPE, windows="released", num_steps={"segments": 12, "crops": 4})
    batch = evaluation_batch(samples, np.arange(20), recipe=recipe)
    assert batch.features["segments"].shape[1] == 12
    assert batch.features["crops"].shape[1] == 4


def test_selection_keeps_the_epoch_it_names(samples: FeatureSet) -> None:
    last, best = run(samples), run(samples, select="best-on-test")
    on_test = [epoch.test for epoch in best.epochs]
    assert last.chosen_epoch == 4
    assert best.chosen_epoch == 1 + on_test.index(max(on_test))
    assert [epoch.test for epoch in last.epochs] == on_test, "selection changes no training"

    fold = make_fold(FOLD.train, FOLD.test, select="val", seed=0)
    validated = run(samples, select="val", fold=fold)
    on_validation = [epoch.validation for epoch in validated.epochs]
    assert validated.chosen_epoch == 1 + on_validation.index(max(on_validation))


@pytest.mark.parametrize("select", ["val", "best-on-test"])
def test_epochs_of_classes_are_told_by_accuracy(samples: FeatureSet, select: Select) -> None:
    """The log, and the choice of an epoch: the first of those with the most videos on the right side."""
    labels = (samples.labels > np.median(samples.labels)).astype(np.float64)
    recipe = dataclasses.replace(RECIPE, loss="cross-entropy")

    def build(dims: Mapping[str, int]) -> TwoClasses:
        return TwoClasses(ActionNet(dims))

    fold = make_fold(FOLD.train, FOLD.test, select=select, seed=0)
    trained = train(Training(build, samples, fold, labels, recipe, seed=0, select=select))
    assert {epoch.metric for epoch in trained.epochs} == {"accuracy"}
    part = {"val": "validation", "best-on-test": "test"}[select]
    values = [getattr(epoch, part) for epoch in trained.epochs]
    assert trained.chosen_epoch == 1 + values.index(max(values))
    videos = getattr(fold, part)
    right = (trained.scores[videos] >= 0.5) == (labels[videos] == 1)
    assert right.mean() == max(values)
    row = trained.epochs[0].to_row()
    assert set(row) == {"epoch", "loss", "lr", "head_lr", "validation_accuracy", "test_accuracy"}
    again = [Epoch.from_row({name: str(value) for name, value in e.to_row().items()}) for e in trained.epochs]
    assert repr(tuple(again)) == repr(trained.epochs)


class TwoClasses(nn.Module):
    """A head whose score is the probability of the upper class, with the logit of it."""

    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.head = head

    def forward(self, features: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> HeadOutput:
        output: HeadOutput = self.head(features, masks)
        return output._replace(logits=output.scores.logit()[:, None])


def test_the_kept_state_gives_the_kept_scores(samples: FeatureSet) -> None:
    trained = run(samples, select="best-on-test")
    module = prepare_module(ActionNet, samples.dims, RECIPE)
    module.load_state_dict(trained.state)
    np.testing.assert_array_equal(score_videos(module, samples, np.arange(20), recipe=RECIPE), trained.scores)


def test_divergence_is_an_error(samples: FeatureSet) -> None:
    with pytest.raises(
        RunError, match=r"the loss is nan in epoch 1: training diverged. Lower the learning rates"
    ):
        run(samples, labels=np.full(20, np.nan))


def test_whitening_sees_real_steps_of_training_videos_only(samples: FeatureSet) -> None:
    module = prepare_module(ActionNet, samples.dims, RECIPE)
    module.load_state_dict(run(samples).state)
    assert isinstance(module, Whitened)
    steps = np.concatenate(
        [samples.streams["crops"][v, : samples.lengths["crops"][v]].numpy() for v in FOLD.train]
    )
    np.testing.assert_allclose(module.mean_crops.numpy(), steps.mean(axis=0), rtol=1e-5)
    whitened = (steps - module.mean_crops.numpy()) @ module.projection_crops.numpy()
    assert whitened.shape[1] == RECIPE.num_components
    np.testing.assert_allclose(np.cov(whitened.T, bias=True), np.eye(RECIPE.num_components), atol=1e-4)
