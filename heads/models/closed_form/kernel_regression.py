"""Regression on rows of numbers in closed form: ridge, or support vectors with a Gaussian kernel.

Candidates are compared by their predictions for inner folds of the training set (scikit-learn fits them).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from aqa_pipeline.metrics import spearman

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Folds = Sequence[Rows]  # the held-out rows of each fold

RIDGE_STRENGTHS = np.logspace(-3, 3, 13)  # times the mean squared length of a standardized row
CV_STRENGTHS = np.logspace(-3, 6, 25)
GAMMAS = (0.125, 0.25, 0.5, 1.0, 2.0)  # divided by the median squared distance of two videos
COSTS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
EPSILON = 0.1  # of the deviation of the training scores
NEGLIGIBLE = 1e-9
RANK_TOLERANCE = 0.01


@dataclass(frozen=True, eq=False)
class Candidate:
    """One setting and its predictions for the training rows, each made without the row's own fold.

    `smoothness` orders settings: the larger, the less a setting follows single videos.
    """

    settings: dict[str, float]
    smoothness: float
    out_of_fold: Floats

    def error(self, labels: Floats) -> float:
        """Return the mean squared error of the out-of-fold predictions."""
        return float(np.mean((self.out_of_fold - labels) ** 2))


Choose = Callable[[Sequence[Candidate], Floats], Candidate]


def least_error(candidates: Sequence[Candidate], labels: Floats) -> Candidate:
    """Return the candidate with the smallest out-of-fold error."""
    return min(candidates, key=lambda each: each.error(labels))


def smoothest(
    candidates: Sequence[Candidate], labels: Floats, *, fold_means: Floats | float = 0.0
) -> Candidate:
    """Return the smoothest candidate whose rank correlation is within 0.01 of the best.

    Features of a network that was fine-tuned on the training set fit its scores almost perfectly, so that the
    error of inner folds always prefers the candidate that follows single videos most. With the `fold_means`
    of `out_of_fold_means`, a prediction counts by what it adds to them.
    """
    correlations = [rank_correlation(each.out_of_fold - fold_means, labels) for each in candidates]
    near = [
        (each.smoothness, value, each)
        for value, each in zip(correlations, candidates, strict=True)
        if value >= max(correlations) - RANK_TOLERANCE
    ]
    return max(near, key=lambda entry: entry[:2])[2]


def out_of_fold_means(labels: Floats, folds: Folds) -> Floats:
    """Return for each video the mean label of the videos outside of its fold.

    The lower the labels of a fold, the higher the mean of the others. A constant prediction has therefore an
    out-of-fold correlation far below 0, above all if whole groups are held out.
    """
    means = np.zeros(len(labels))
    for held_out in folds:
        means[held_out] = np.delete(labels, held_out).mean()
    return means


def rank_correlation(predicted: Floats, labels: Floats) -> float:
    """Return Spearman's correlation, 0 where it is undefined."""
    value = float(spearman(predicted, labels))
    return 0.0 if np.isnan(value) else value


class KernelRegression(nn.Module):
    """Predict `sum_i dual_i k(x, support_i) + intercept` of standardized rows x; nan becomes the mean.

    `k` is the dot product if `gamma` is 0, else `exp(-gamma |x - support|^2)`. Ridge regression has a single
    support row, its coefficients. An unfitted module has no support row.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        zeros = {"mean": (width,), "scale": (width,), "support": (0, width), "dual": (0,)}
        for name, shape in zeros.items():
            self.register_buffer(name, torch.zeros(shape, dtype=torch.float32))
        for name in ("gamma", "intercept"):
            self.register_buffer(name, torch.zeros((), dtype=torch.float64))

    def forward(self, numbers: Tensor) -> Tensor:
        """Return predictions `(batch)`, float64, of numbers `(batch, number)`."""
        rows = ((numbers.double() - self.get_buffer("mean")) * self.get_buffer("scale")).nan_to_num()
        support = self.get_buffer("support").double()
        gamma = self.get_buffer("gamma")
        if gamma == 0:
            kernel = rows @ support.mT
        else:
            distances = torch.cdist(rows, support, compute_mode="donot_use_mm_for_euclid_dist") ** 2
            kernel = torch.exp(-gamma * distances)
        return kernel @ self.get_buffer("dual").double() + self.get_buffer("intercept")

    def fit_ridge(self, numbers: Tensor, labels: Floats, *, folds: Folds, choose: Choose) -> Floats:
        """Fit ridge regression to `(video, number)`; return the out-of-fold predictions `(video)`."""
        rows = self._standardize(numbers)
        products = rows @ rows.T
        unit = max(float(np.diag(products).mean()), NEGLIGIBLE)
        candidates = []
        for share in RIDGE_STRENGTHS:
            predicted = _out_of_fold(folds, labels, partial(_ridge, products, strength=share * unit))
            candidates.append(Candidate({"strength": share * unit}, share, predicted))
        chosen = choose(candidates, labels)
        everyone = np.arange(len(labels))
        dual = _ridge_dual(products, labels, everyone, chosen.settings["strength"])
        self._keep(support=(dual @ rows)[None], dual=np.ones(1), gamma=0.0, intercept=float(labels.mean()))
        return chosen.out_of_fold

    def fit_ridge_cv(self, numbers: Tensor, labels: Floats, *, folds: Folds) -> Floats:
        """Fit ridge regression with the strength of the smallest leave-one-out error (RidgeCV)."""
        from sklearn.linear_model import RidgeCV

        rows = self._standardize(numbers)
        model = RidgeCV(alphas=CV_STRENGTHS).fit(rows, labels)
        self._keep(support=model.coef_[None], dual=np.ones(1), gamma=0.0, intercept=float(model.intercept_))
        products, strength = rows @ rows.T, float(model.alpha_)
        return _out_of_fold(folds, labels, partial(_ridge, products, strength=strength))

    def forget(self) -> None:
        """Return to the unfitted state, which takes no room."""
        for name in ("mean", "scale"):
            self.get_buffer(name).zero_()
        width = self.get_buffer("mean").shape[0]
        self._keep(support=np.zeros((0, width)), dual=np.zeros(0), gamma=0.0, intercept=0.0)

    def fit_gaussian(self, numbers: Tensor, labels: Floats, *, folds: Folds, choose: Choose) -> Floats:
        """Fit support vector regression with a Gaussian kernel; return the out-of-fold predictions."""
        rows = self._standardize(numbers)
        distances = _squared_distances(rows)
        unit = float(np.median(distances[~np.eye(len(rows), dtype=bool)])) or 1.0
        candidates = []
        for gamma in GAMMAS:
            kernel = np.exp(-gamma * distances / unit)
            for cost in COSTS:
                predicted = _out_of_fold(folds, labels, partial(_svr, kernel, cost=cost))
                candidates.append(Candidate({"gamma": gamma / unit, "cost": cost}, 1 / cost, predicted))
        chosen = choose(candidates, labels)
        gamma = chosen.settings["gamma"]
        svr = _fitted_svr(np.exp(-gamma * distances), labels, chosen.settings["cost"])
        self._keep(
            support=rows[svr.support_],
            dual=svr.dual_coef_[0],
            gamma=gamma,
            intercept=float(svr.intercept_[0]),
        )
        return chosen.out_of_fold

    def _standardize(self, numbers: Tensor) -> Floats:
        rows = numbers.double().numpy()
        known = ~np.isnan(rows).all(axis=0)
        deviation, mean = np.zeros(rows.shape[1]), np.zeros(rows.shape[1])
        deviation[known], mean[known] = np.nanstd(rows[:, known], axis=0), np.nanmean(rows[:, known], axis=0)
        scale = np.where(
            deviation > NEGLIGIBLE * max(1.0, deviation.max()), 1 / np.where(deviation, deviation, 1), 0
        )
        self.get_buffer("mean").copy_(torch.tensor(mean))
        self.get_buffer("scale").copy_(torch.tensor(scale))
        mean, kept = (self.get_buffer(name).double().numpy() for name in ("mean", "scale"))
        standardized: Floats = np.nan_to_num((rows - mean) * kept)
        return standardized

    def _keep(self, *, support: Floats, dual: Floats, gamma: float, intercept: float) -> None:
        self.support, self.dual = (torch.tensor(each, dtype=torch.float32) for each in (support, dual))
        self.get_buffer("gamma").fill_(gamma)
        self.get_buffer("intercept").fill_(intercept)

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *rest: Any, **named: Any) -> None:
        """Make room for as many support rows as the state has."""
        for name in ("support", "dual"):
            if (stored := state_dict.get(f"{prefix}{name}")) is not None:
                own = self.get_buffer(name)
                setattr(self, name, own.new_empty(len(stored), *own.shape[1:]))
        super()._load_from_state_dict(state_dict, prefix, *rest, **named)


def _out_of_fold(folds: Folds, labels: Floats, predict: Callable[..., Floats]) -> Floats:
    """Return the predictions `(row)` of each fold by `predict(labels, train=..., held_out=...)`."""
    predicted = np.zeros(len(labels))
    for held_out in folds:
        train = np.setdiff1d(np.arange(len(labels)), held_out)
        predicted[held_out] = predict(labels, train=train, held_out=held_out)
    return predicted


def _ridge_dual(products: Floats, labels: Floats, train: Rows, strength: float) -> Floats:
    square = products[np.ix_(train, train)] + strength * np.eye(len(train))
    return np.asarray(np.linalg.solve(square, labels[train] - labels[train].mean()))


def _ridge(products: Floats, labels: Floats, *, train: Rows, held_out: Rows, strength: float) -> Floats:
    dual = _ridge_dual(products, labels, train, strength)
    return np.asarray(labels[train].mean() + products[np.ix_(held_out, train)] @ dual)


def _fitted_svr(kernel: Floats, labels: Floats, cost: float) -> Any:
    from sklearn.svm import SVR

    return SVR(kernel="precomputed", C=cost, epsilon=EPSILON).fit(kernel, labels)


def _svr(kernel: Floats, labels: Floats, *, train: Rows, held_out: Rows, cost: float) -> Floats:
    model = _fitted_svr(kernel[np.ix_(train, train)], labels[train], cost)
    return np.asarray(model.predict(kernel[np.ix_(held_out, train)]))


def _squared_distances(rows: Floats) -> Floats:
    products = rows @ rows.T
    lengths = np.diag(products)
    return np.maximum(lengths[:, None] + lengths[None] - 2 * products, 0.0)
