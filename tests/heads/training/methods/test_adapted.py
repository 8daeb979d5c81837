"""The variant adapted: what inner cross-validation chooses, from the training set alone."""

import dataclasses

import numpy as np
import pytest
import torch

from heads.data.feature_set import FeatureSet
from heads.data.folds import Fold
from heads.data.labels import FinalScores
from heads.data.score_scale import ScoreScale
from heads.recipes import Regularization
from heads.recipes.adapted import ADAPTED, CANDIDATES
from heads.registry import OURS, find_head
from heads.training.methods import choose as module_of_choose
from heads.training.methods.by_recipe import as_record, chosen_recipe, fit_training, is_chosen_first, is_stack
from heads.training.methods.choose import Trial, choose
from heads.training.methods.closed_form import folds_of
from heads.training.methods.prepared_network import prepare_module
from heads.training.methods.training import Training

NUM_TRAIN, NUM_TEST = 24, 8


def make_training(head: str = "wd", *, epochs: int = 3, noise: float = 0.1, **changes) -> Training:
    rng = np.random.default_rng(0)
    labels = rng.normal(size=NUM_TRAIN + NUM_TEST)
    rows = rng.normal(scale=noise, size=(len(labels), 6, 5)) + labels[:, None, None]
    lengths = torch.from_numpy(rng.integers(3, 7, size=len(labels)))
    padded = torch.from_numpy(rows).float() * (torch.arange(6) < lengths[:, None])[:, :, None]
    kind = find_head(head)
    stream = kind.streams[0]
    recipe = kind.choose_recipe("folder", "all", ADAPTED, {stream: lengths.tolist()}).with_epochs(epochs)
    samples = FeatureSet(
        tuple(map(str, range(len(labels)))), {stream: padded}, {stream: lengths}, {}, labels=labels
    )
    return Training(
        build=lambda dims: kind.build(dims, ADAPTED),
        samples=samples,
        fold=Fold(np.arange(NUM_TRAIN), np.arange(0), np.arange(NUM_TRAIN, len(labels))),
        labels=labels,
        recipe=recipe,
        seed=0,
        final=FinalScores(labels, ScoreScale(0.0, 1.0), np.ones(len(labels))),
        **changes,
    )


def test_the_choice_is_the_same_whatever_the_test_set_holds() -> None:
    training = make_training()
    other = training.labels.copy()
    other[NUM_TRAIN:] = 1e6
    features = {stream: padded.clone() for stream, padded in training.samples.streams.items()}
    for padded in features.values():
        padded[NUM_TRAIN:] = -7.0
    samples = dataclasses.replace(training.samples, streams=features, labels=other)
    final = FinalScores(other, ScoreScale(0.0, 1.0), np.ones(len(other)))
    changed = dataclasses.replace(training, samples=samples, labels=other, final=final)
    found, of_changed = choose(training), choose(changed)
    assert found.recipe == of_changed.recipe
    np.testing.assert_array_equal(found.out_of_fold, of_changed.out_of_fold)


def test_the_strongest_of_nearly_equal_candidates_is_kept_and_recorded() -> None:
    choice = choose(make_training(epochs=12, noise=0.01))
    best = max(trial.best for trial in choice.trials)
    strongest = next(trial for trial in choice.trials if trial.best >= best - 0.01)
    record = as_record(choice)
    assert record.regularization == strongest.regularization
    assert record.epochs == strongest.best_epoch == choice.recipe.epochs
    tried = [each.regularization for each in record.tried]
    assert tried == list(CANDIDATES[: len(tried)])
    assert record.why.startswith("The strongest regularization whose spearman is within 0.01 of the best (")
    assert chosen_recipe(make_training(epochs=12).recipe, record) == choice.recipe


def test_ridge_has_all_of_the_score_where_the_network_finds_nothing() -> None:
    """Scores of chance features: one epoch at a rate of 0 leaves the network as it starts."""
    training = make_training("wd-average", epochs=1)
    idle = training.recipe.with_optimization(lr=0.0, head_lr=0.0)
    choice = choose(dataclasses.replace(training, recipe=idle))
    share = as_record(choice).ridge_share
    assert share is not None
    assert share > 0.5
    trained = fit_training(dataclasses.replace(training, recipe=choice.recipe))
    assert float(trained.state["share"]) == share
    test = training.fold.test
    assert np.corrcoef(trained.scores[test], training.labels[test])[0, 1] > 0.95


def test_the_out_of_fold_predictions_are_those_of_network_and_ridge_together() -> None:
    training = make_training()
    choice = choose(training)
    alone = choose(dataclasses.replace(training, recipe=training.recipe.with_ridge_share(None)))
    assert alone.recipe == choice.recipe.with_ridge_share(None)
    labels = training.labels[:NUM_TRAIN]
    error, of_network = (np.square(each.out_of_fold - labels).mean() for each in (choice, alone))
    assert error != of_network
    assert as_record(alone).ridge_share is None


def test_papers_recipes_have_no_ridge_beside_them() -> None:
    for name in NARROW:
        for variant in find_head(name).variants:
            recipe = find_head(name).choose_recipe("folder", "all", variant, {"segments": [3], "crops": [3]})
            beside = recipe.adaptation is not None and recipe.adaptation.ridge_share is not None
            trained_by_gradient = not recipe.is_closed_form and name != "stack"
            assert beside == (variant == ADAPTED and trained_by_gradient), (name, variant)


def test_lighter_candidates_are_tried_as_long_as_each_is_better(monkeypatch: pytest.MonkeyPatch) -> None:
    training = make_training(epochs=1)
    labels = training.labels[:NUM_TRAIN]

    def agree(values: list[float]) -> int:
        """Return how many candidates are tried that have these metrics."""
        left = iter(values)

        def made_up(training, regularization, folds, report, *, stronger) -> Trial:
            return Trial(regularization, (1,), labels[None], np.array([next(left)]), num_folds=len(folds))

        monkeypatch.setattr(module_of_choose, "_try", made_up)
        choice = choose(training)
        kept = choice.recipe.adaptation.candidates[0]
        best = max(trial.best for trial in choice.trials)
        assert kept == next(t.regularization for t in choice.trials if t.best >= best - 0.01)
        return len(choice.trials)

    assert agree([0.5, 0.505]) == 2
    assert agree([0.5, 0.4]) == 2
    assert agree([0.5, 0.6, 0.7]) == 3
    assert agree([0.5, 0.6, 0.605]) == 3


def test_a_candidate_that_is_not_ahead_is_given_up_after_an_inner_fold() -> None:
    """The second one learns next to nothing: it sees one number of a thousand."""
    training = make_training(epochs=7, noise=0.01)
    strong = dataclasses.replace(CANDIDATES[0], input_dropout=0.0)
    useless = dataclasses.replace(CANDIDATES[1], input_dropout=0.999)
    adaptation = dataclasses.replace(training.recipe.adaptation, candidates=(strong, useless))
    told: list[tuple[int, int]] = []
    choice = choose(
        dataclasses.replace(training, recipe=dataclasses.replace(training.recipe, adaptation=adaptation)),
        lambda number, total: told.append((number, total)),
    )
    assert told == [(number, 6) for number in range(1, 5)]
    assert [trial.num_folds for trial in choice.trials] == [3, 1]
    assert choice.trials[0].epochs == (3, 6, 7)
    record = as_record(choice)
    assert [each.num_folds for each in record.tried] == [3, 1]
    assert record.regularization == strong
    assert f"({choice.trials[0].best:.3f})" in record.why


def test_the_rates_fall_as_if_every_epoch_were_trained() -> None:
    recipe = make_training(epochs=20).recipe
    rates = [recipe.optimization.decay(epoch) for epoch in range(1, 21)]
    assert rates[0] < rates[1] == max(rates)
    assert rates[1:] == sorted(rates[1:], reverse=True)
    assert rates[-1] < 0.01
    stopped = dataclasses.replace(recipe, epochs=7)
    assert [stopped.optimization.decay(epoch) for epoch in range(1, 8)] == rates[:7]


def test_dropout_and_decay_are_those_of_the_regularization() -> None:
    training = make_training("action-net")
    regularization = Regularization(weight_decay=0.5, dropout=0.25, input_dropout=0.125)
    adaptation = dataclasses.replace(training.recipe.adaptation, candidates=(regularization,))
    recipe = dataclasses.replace(training.recipe, adaptation=adaptation)
    module = prepare_module(training.build, training.samples.dims, recipe)
    shares = [each.p for each in module.modules() if isinstance(each, torch.nn.Dropout)]
    assert sorted(set(shares)) == [0.125, 0.25]
    assert module.network.dropout.p == 0.125


def test_groups_stay_in_one_inner_fold() -> None:
    groups = tuple(f"g{at // 4}" for at in range(NUM_TRAIN + NUM_TEST))
    for held_out in folds_of(make_training(groups=groups), num_folds=3):
        assert len(held_out) % 4 == 0
    unnamed = (None, *groups[1:])
    sizes = [len(held_out) for held_out in folds_of(make_training(groups=unnamed), num_folds=5)]
    assert max(sizes) - min(sizes) <= 1, "a video without a group: groups do not count"


NARROW = [name for name, head in OURS.items() if ADAPTED in head.variants and not head.reads_maps]


@pytest.mark.parametrize("name", NARROW)
def test_every_adapted_head_finds_a_plain_signal(name: str) -> None:
    training = make_training(name, epochs=15)
    if name in ("mean",):
        return
    if is_chosen_first(training) and not training.recipe.is_closed_form:
        strongest = dataclasses.replace(training.recipe.adaptation, candidates=CANDIDATES[-1:])
        training = dataclasses.replace(
            training, recipe=dataclasses.replace(training.recipe, adaptation=strongest)
        )
    trained = fit_training(training)
    test = training.fold.test
    assert np.corrcoef(trained.scores[test], training.labels[test])[0, 1] > 0.8
    if is_stack(training) or training.recipe.is_closed_form:
        if name.startswith("svr"):
            return
        assert np.corrcoef(trained.out_of_fold, training.labels[training.fold.train])[0, 1] > 0.8


@pytest.mark.parametrize(
    ("dataset", "variant"),
    [("mit-skating", "paper"), ("fis-v", "paper"), ("folder", ADAPTED), ("synthetic", ADAPTED)],
)
def test_the_default_variant_is_the_papers_for_its_datasets_alone(dataset: str, variant: str) -> None:
    assert find_head("action-net").default_variant(dataset) == variant
    assert find_head("svr-average").default_variant(dataset) == "paper"


@pytest.mark.parametrize("name", ["action-net", "action-net-sau", "wd"])
def test_no_embedding_is_narrower_than_128(name: str) -> None:
    module = find_head(name).build(dict.fromkeys(find_head(name).streams, 8), ADAPTED)
    wide = [
        each.out_features
        for each in module.modules()
        if isinstance(each, torch.nn.Linear)
        if each.in_features == 8
    ]
    assert wide
    assert min(wide) >= 128
