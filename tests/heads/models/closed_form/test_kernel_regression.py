"""Regression in closed form, against scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from heads.models.closed_form.kernel_regression import (
    CV_STRENGTHS,
    EPSILON,
    Candidate,
    KernelRegression,
    least_error,
    rank_correlation,
    smoothest,
)
from heads.models.closed_form.regressors import inner_folds

RNG = np.random.default_rng(3)
NUMBERS = RNG.normal(loc=5, scale=[1, 10, 0.1, 2], size=(40, 4))
LABELS = NUMBERS @ [1.0, 0.2, -3.0, 0.5] + RNG.normal(size=40)
TRAIN, TEST = slice(0, 30), slice(30, 40)
FOLDS = inner_folds(30, num_folds=5, seed=0)


def predict(model: KernelRegression, numbers: np.ndarray) -> np.ndarray:
    return model(torch.from_numpy(numbers)).numpy()


def test_ridge_by_leave_one_out_is_that_of_scikit_learn() -> None:
    model = KernelRegression(4)
    out_of_fold = model.fit_ridge_cv(torch.from_numpy(NUMBERS[TRAIN]), LABELS[TRAIN], folds=FOLDS)
    scaler = StandardScaler().fit(NUMBERS[TRAIN])
    oracle = RidgeCV(CV_STRENGTHS).fit(scaler.transform(NUMBERS[TRAIN]), LABELS[TRAIN])
    expected = oracle.predict(scaler.transform(NUMBERS[TEST]))
    np.testing.assert_allclose(predict(model, NUMBERS[TEST]), expected, rtol=1e-5)
    rows = scaler.transform(NUMBERS[TRAIN])
    for held_out in FOLDS:
        rest = np.setdiff1d(np.arange(30), held_out)
        inner = _ridge_without_intercept_of_rows(rows[rest], LABELS[TRAIN][rest], oracle.alpha_)
        np.testing.assert_allclose(out_of_fold[held_out], inner(rows[held_out]), rtol=1e-4)


def _ridge_without_intercept_of_rows(rows: np.ndarray, labels: np.ndarray, strength: float):
    """Ridge on centered labels and rows as they are, which the whole training set has standardized."""
    model = Ridge(strength, fit_intercept=False).fit(rows, labels - labels.mean())
    return lambda held_out: model.predict(held_out) + labels.mean()


def test_the_gaussian_kernel_is_that_of_scikit_learn() -> None:
    model = KernelRegression(4)
    seen: list[Candidate] = []

    def first(candidates, labels):
        seen.extend(candidates)
        return candidates[3]

    model.fit_gaussian(torch.from_numpy(NUMBERS[TRAIN]), LABELS[TRAIN], folds=FOLDS, choose=first)
    scaler = StandardScaler().fit(NUMBERS[TRAIN])
    settings = seen[3].settings
    oracle = SVR(gamma=settings["gamma"], C=settings["cost"], epsilon=EPSILON)
    oracle.fit(scaler.transform(NUMBERS[TRAIN]), LABELS[TRAIN])
    expected = oracle.predict(scaler.transform(NUMBERS[TEST]))
    np.testing.assert_allclose(predict(model, NUMBERS[TEST]), expected, atol=2e-3)


@pytest.mark.parametrize("fit", ["fit_ridge", "fit_gaussian"])
def test_out_of_fold_predictions_do_not_see_their_own_labels(fit: str) -> None:
    """Another label of a held-out video changes the predictions of others, never its own."""
    changed = LABELS[TRAIN].copy()
    changed[FOLDS[0]] += 100

    def of(labels: np.ndarray) -> np.ndarray:
        model = KernelRegression(4)
        numbers = torch.from_numpy(NUMBERS[TRAIN])
        return getattr(model, fit)(numbers, labels, folds=FOLDS, choose=lambda found, _: found[5])

    before, after = of(LABELS[TRAIN]), of(changed)
    np.testing.assert_allclose(before[FOLDS[0]], after[FOLDS[0]])
    assert np.abs(before[FOLDS[1]] - after[FOLDS[1]]).max() > 1


def test_a_fitted_state_loads_into_an_unfitted_module() -> None:
    model, other = KernelRegression(4), KernelRegression(4)
    model.fit_gaussian(torch.from_numpy(NUMBERS[TRAIN]), LABELS[TRAIN], folds=FOLDS, choose=least_error)
    assert other.get_buffer("support").shape == (0, 4)
    other.load_state_dict(model.state_dict())
    np.testing.assert_array_equal(predict(other, NUMBERS[TEST]), predict(model, NUMBERS[TEST]))


def test_an_unknown_number_counts_as_the_mean_and_a_constant_one_not_at_all() -> None:
    numbers = NUMBERS[TRAIN].copy()
    numbers[:, 3] = 7.0
    model = KernelRegression(4)
    model.fit_ridge_cv(torch.from_numpy(numbers), LABELS[TRAIN], folds=FOLDS)
    row, unknown = numbers[:1].copy(), numbers[:1].copy()
    row[0, 1], unknown[0, 1] = numbers[:, 1].mean(), np.nan
    np.testing.assert_allclose(predict(model, row), predict(model, unknown), rtol=1e-5)
    unknown[0, 3] = 1e9
    np.testing.assert_allclose(predict(model, row), predict(model, unknown), rtol=1e-5)


def test_the_smoothest_of_nearly_equal_candidates_is_kept() -> None:
    labels = np.arange(200.0)
    noise = np.random.default_rng(0).normal(size=200)
    strong, light, bad = (
        Candidate({"name": at}, smoothness, labels + size * noise)
        for at, (smoothness, size) in enumerate([(2.0, 5.0), (1.0, 0.0), (3.0, 200.0)])
    )
    assert rank_correlation(strong.out_of_fold, labels) > 0.99
    assert smoothest([light, strong, bad], labels) is strong
    assert least_error([strong, light, bad], labels) is light
    assert rank_correlation(np.zeros(200), labels) == 0


def test_inner_folds_hold_every_video_once_and_keep_groups_whole() -> None:
    groups = [f"g{at % 7}" for at in range(30)]
    folds = inner_folds(30, num_folds=5, seed=1, groups=groups)
    assert sorted(np.concatenate(folds)) == list(range(30))
    for held_out in folds:
        inside = {groups[at] for at in held_out}
        assert inside.isdisjoint({groups[at] for at in np.setdiff1d(np.arange(30), held_out)})
    assert len(inner_folds(3, num_folds=5, seed=1)) == 3
    assert len(inner_folds(9, num_folds=5, seed=1, groups=["a", "b"] * 4 + ["a"])) == 2
