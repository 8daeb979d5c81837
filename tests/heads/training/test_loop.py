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
from heads.data.folds import Fold, Select, make_fold, shuffled_labels
from heads.data.score_scale import ScoreScale, scale_of
from heads.models.action_net import ActionNet
from heads.models.output import HeadOutput
from heads.models.whitening import Whitened, principal_components
from heads.recipes import SYNTHETIC, Recipe
from heads.registry import HEADS
from heads.runs.epoch import Epoch
from heads.training.loop import Trained, Training, prepare_module, score_videos, train

RECIPE = dataclasses.replace(SYNTHETIC, epochs=4, milestones=(3,), num_steps={"segments": 6, "crops": 10})


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
    assert [epoch.lr for epoch in told] == pytest.approx([RECIPE.lr * decay for decay in (1, 1, 1, 0.1)])
    assert [epoch.head_lr for epoch in told] == pytest.approx([0.05, 0.05, 0.05, 0.005])
    assert all(math.isnan(epoch.validation) for epoch in told)


def test_the_rates_of_an_epoch_are_those_used(samples: FeatureSet) -> None:
    """A recipe that decays to nothing after epoch 2 stands still from then on."""
    still = dataclasses.replace(RECIPE, milestones=(2,), gamma=0.0)
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


def test_validation_videos_come_from_training_alone() -> None:
    fold = make_fold(np.arange(20), np.arange(20, 30), select="val", seed=3)
    assert len(fold.validation) == 4
    assert sorted([*fold.train, *fold.validation]) == list(range(20))
    assert fold.test.tolist() == list(range(20, 30))
    again = make_fold(np.arange(20), np.arange(20, 30), select="val", seed=3)
    other = make_fold(np.arange(20), np.arange(20, 30), select="val", seed=4)
    assert fold.validation.tolist() == again.validation.tolist() != other.validation.tolist()


def test_too_few_videos_to_validate_are_refused() -> None:
    with pytest.raises(
        RunError, match="holds out 20 % of 10 training videos, which is 2: expected at least 3"
    ):
        make_fold(np.arange(10), np.arange(10, 12), select="val", seed=0)


def test_shuffling_moves_training_labels_only() -> None:
    labels = np.arange(20.0)
    shuffled = shuffled_labels(labels, np.arange(15), seed=0)
    assert sorted(shuffled[:15]) == list(range(15))
    assert shuffled[:15].tolist() != list(range(15))
    assert shuffled[15:].tolist() == labels[15:].tolist()
    assert shuffled.tolist() == shuffled_labels(labels, np.arange(15), seed=0).tolist()
    assert shuffled.tolist() != shuffled_labels(labels, np.arange(15), seed=1).tolist()


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


def test_components_of_known_data() -> None:
    """Two dimensions that move together, one that stands still: one component along the diagonal."""
    steps = torch.tensor([[1.0, 10.0, 5.0], [2.0, 20.0, 5.0], [3.0, 30.0, 5.0]], dtype=torch.float64)
    mean, projection = principal_components(steps)
    assert mean.tolist() == [2, 20, 5]
    assert projection.shape == (3, 1)
    whitened = ((steps - mean) @ projection).flatten()
    assert abs(whitened).tolist() == pytest.approx([1.5**0.5, 0, 1.5**0.5])


def test_fewer_steps_than_components_leave_zeros() -> None:
    module = Whitened(ActionNet({"crops": 4}), {"crops": 4}, {"crops": 4})
    module.fit({"crops": torch.rand(1, 3, 4)}, {"crops": torch.tensor([3])})
    assert module.projection_crops.any(dim=0).tolist() == [True, True, False, False]


def test_whitened_padding_stays_zero(samples: FeatureSet) -> None:
    """Else the released network, which takes padding for steps, would see minus the mean there."""
    seen = {}

    def spy(features: dict, masks: dict) -> None:
        seen.update(features)

    module = Whitened(torch.nn.Identity(), samples.dims, samples.dims)
    module.fit(samples.streams, samples.lengths)
    module.head.forward = spy
    masks = {s: torch.arange(x.shape[1]) < samples.lengths[s][:, None] for s, x in samples.streams.items()}
    module(samples.streams, masks)
    assert all(not seen[stream][~masks[stream]].any() for stream in masks)
    assert all(seen[stream][masks[stream]].any() for stream in masks)


def test_score_scales() -> None:
    labels = np.array([20.0, 30.0, 40.0])
    assert scale_of(Target("total", 0.0, 25.0), labels) == ScoreScale(0.0, 25.0)
    scale = scale_of(Target("score"), labels)
    assert (scale.low, scale.high) == (18.0, 42.0)
    assert scale_of(Target("score", low=0.0), labels) == ScoreScale(0.0, 42.0)
    assert scale.normalise([18, 30, 42]).tolist() == [0, 0.5, 1]
    assert scale.restore(scale.normalise(labels)).tolist() == labels.tolist()
    with pytest.raises(RunError, match=r"from 5.0 to 5.0 has no range.*Are all training labels equal"):
        scale_of(Target("score"), np.array([5.0, 5.0]))


def long_samples(streams: tuple[str, ...]) -> FeatureSet:
    """30 videos of up to 24 random steps: enough for every temporal convolution to see several windows."""
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(16, 25, (30,), generator=generator)
    real = torch.arange(24) < lengths[:, None]
    return FeatureSet(
        video_ids=tuple(map(str, range(30))),
        streams={s: torch.rand(30, 24, 12, generator=generator) * real[:, :, None] for s in streams},
        lengths=dict.fromkeys(streams, lengths),
        pts_seconds=dict.fromkeys(streams, ()),
        labels=np.linspace(0, 1, 30),
    )


IN_MEMORY = {name: head for name, head in HEADS.items() if not head.reads_maps}


@pytest.mark.parametrize("head", IN_MEMORY.values(), ids=IN_MEMORY)
def test_every_head_keeps_the_contract(head) -> None:
    """Each variant builds, attends, and where it is trained by gradient: [0, 1], a regressor, gradients."""
    samples = long_samples(head.streams)
    for variant in head.variants:
        torch.manual_seed(0)
        module = head.build(samples.dims, variant)
        recipe = head.choose_recipe("folder", "all", variant, {s: [24] for s in head.streams})
        assert set(recipe.num_steps) == set(head.streams)
        assert recipe.windows in ("paper", variant)
        batch = next(
            training_batches(samples, FOLD.train, recipe=recipe, generator=torch.Generator().manual_seed(0))
        )
        output = module(batch.features, batch.masks)
        assert output.scores.shape == (len(batch.videos),)
        assert {s: tuple(w.shape) for s, w in output.attention.items()} == {
            s: tuple(mask.shape) for s, mask in batch.masks.items()
        }
        if recipe.optimiser == "closed-form":
            continue
        assert recipe.unit == "deviation" or ((output.scores >= 0) & (output.scores <= 1)).all()
        (output.scores.sum() + (0 if output.penalty is None else output.penalty.sum())).backward()
        assert all(p.grad is not None for p in module.parameters())
        assert any(name.startswith("regressor.") for name, _ in module.named_parameters())
