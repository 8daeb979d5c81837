"""Pooling and support vector regression: what is stored equals scikit-learn's own prediction."""

import numpy as np
import pytest
import torch
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from heads.data.feature_set import FeatureSet
from heads.data.folds import Fold
from heads.models.closed_form.linear_svr import COSTS, EPSILON
from heads.models.closed_form.pooled_svr import PooledSvr, average, maximum
from heads.recipes.papers import svr_recipe
from heads.training.methods.closed_form import fit_closed_form
from heads.training.methods.training import Training

MASK = torch.tensor([[True, True, False], [True, False, False], [False, False, False]])
ROWS = torch.tensor([[[1.0, 6], [3, 2], [9, 9]], [[-1, -2], [9, 9], [9, 9]], [[9, 9], [9, 9], [9, 9]]])


def test_average_over_real_steps() -> None:
    pooled, weights = average(ROWS, MASK)
    assert pooled.tolist() == [[2, 4], [-1, -2], [0, 0]]
    assert weights.tolist() == [[0.5, 0.5, 0], [1, 0, 0], [0, 0, 0]]


def test_maximum_over_real_steps_and_where_it_comes_from() -> None:
    pooled, weights = maximum(ROWS, MASK)
    assert pooled.tolist() == [[3, 6], [-1, -2], [0, 0]]
    assert weights.tolist() == [[0.5, 0.5, 0], [1, 0, 0], [0, 0, 0]]


def make_samples() -> FeatureSet:
    rng = np.random.default_rng(0)
    features = torch.from_numpy(rng.random((30, 6, 8), dtype=np.float32))
    lengths = torch.from_numpy(rng.integers(2, 7, size=30))
    features *= (torch.arange(6) < lengths[:, None])[:, :, None]
    labels = rng.random(30)
    return FeatureSet(
        tuple(map(str, range(30))), {"segments": features}, {"segments": lengths}, {"segments": ()}, labels
    )


def test_scores_are_those_of_scikit_learn() -> None:
    samples = make_samples()
    fold = Fold(np.arange(20), np.empty(0, dtype=np.int64), np.arange(20, 30))
    recipe = svr_recipe("folder", "all", "paper", {"segments": samples.lengths["segments"].tolist()})
    training = Training(
        lambda dims: PooledSvr(dims, pooling="average"),
        samples,
        fold,
        labels=samples.labels,
        recipe=recipe,
        seed=0,
    )
    trained = fit_closed_form(training)
    means = np.stack(
        [
            f[:n].mean(dim=0).double()
            for f, n in zip(samples.streams["segments"], samples.lengths["segments"], strict=True)
        ]
    )
    scaler = StandardScaler().fit(means[:20])
    candidates = []
    for cost in COSTS:
        svr = SVR(kernel="linear", C=cost, epsilon=EPSILON).fit(
            scaler.transform(means[:20]), samples.labels[:20]
        )
        candidates.append(svr.predict(scaler.transform(means)))
    errors = [np.abs(trained.scores - predicted).max() for predicted in candidates]
    assert min(errors) < 1e-5
    assert trained.chosen_epoch == len(trained.epochs) == 1


def test_the_seed_draws_the_folds_and_nothing_else() -> None:
    samples = make_samples()
    fold = Fold(np.arange(20), np.empty(0, dtype=np.int64), np.arange(20, 30))
    recipe = svr_recipe("folder", "all", "paper", {"segments": [6]})
    build = lambda dims: PooledSvr(dims, pooling="maximum")  # noqa: E731
    first, again = (
        fit_closed_form(Training(build, samples, fold, samples.labels, recipe, seed=3)).scores
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, again)


def test_a_constant_feature_is_no_division_by_zero() -> None:
    module = PooledSvr({"segments": 2}, pooling="average")
    pooled = np.stack([np.arange(12.0), np.ones(12)], axis=1)
    module.fit(pooled, pooled[:, 0] / 12, seed=0)
    scores = module(
        {"segments": torch.from_numpy(pooled).float()[:, None]},
        {"segments": torch.ones(12, 1, dtype=torch.bool)},
    )
    assert scores.scores.tolist() == pytest.approx((pooled[:, 0] / 12).tolist(), abs=0.02)
