"""Linear support vector regression (SVR) on numbers of one stream's video, in closed form.

Numbers are standardized, and C is chosen by five-fold cross-validation on the training set (scikit-learn),
because the papers name no constants. The seed only draws the folds.
"""

from abc import abstractmethod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from heads.data.folds import derived_seed
from heads.models.closed_form.kernel_regression import Floats, Folds
from heads.models.closed_form.regressors import ClosedFormHead
from heads.models.closed_form.video_numbers import Streams
from heads.models.output import HeadOutput

COSTS = tuple(10.0**power for power in range(-5, 2))
EPSILON = 0.01  # of the normalized score: one point in a hundred
NUM_FOLDS = 5


class LinearSvr(ClosedFormHead):
    """Score one stream: `width` numbers a video, standardized, and a linear function of them."""

    def __init__(self, stream: str, width: int) -> None:
        super().__init__()
        self.stream = stream
        self.register_buffer("mean", torch.zeros(width, dtype=torch.float64))
        self.register_buffer("scale", torch.ones(width, dtype=torch.float64))
        self.register_buffer("coefficients", torch.zeros(width, dtype=torch.float64))
        self.register_buffer("intercept", torch.zeros((), dtype=torch.float64))

    @abstractmethod
    def numbers(self, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the numbers of videos `(batch, width)`, and the weights of their steps `(batch, time)`."""

    def fit_videos(
        self, features: Streams, masks: Streams, labels: Floats, *, folds: Folds, seed: int
    ) -> Floats | None:
        """Fit to training videos; the folds that choose C are drawn by the seed."""
        numbers, _ = self.numbers(features[self.stream], masks[self.stream])
        self.fit(numbers.double().numpy(), labels, seed=seed)
        return None

    def forward(self, features: Streams, masks: Streams) -> HeadOutput:
        """Return scores `(batch)` and the weights of the steps, `(batch, time)`."""
        numbers, weights = self.numbers(features[self.stream], masks[self.stream])
        standardized = (numbers.double() - self.get_buffer("mean")) / self.get_buffer("scale")
        scores = standardized @ self.get_buffer("coefficients") + self.get_buffer("intercept")
        return HeadOutput(scores.float(), {self.stream: weights})

    def fit(self, numbers: NDArray[np.float64], labels: NDArray[np.float64], *, seed: int) -> None:
        """Fit to numbers `(video, width)` and normalized labels `(video)`."""
        scaler, svr = search_cost(numbers, labels, seed=seed).best_estimator_
        self.keep(scaler.mean_, scaler.scale_, svr.coef_[0], svr.intercept_[0])

    def keep(self, mean: Floats, scale: Floats, coefficients: Floats, intercept: float) -> None:
        """Keep what was fitted."""
        fitted = {"mean": mean, "scale": scale, "coefficients": coefficients, "intercept": intercept}
        for name, values in fitted.items():
            self.get_buffer(name).copy_(torch.tensor(values))


def search_cost(numbers: NDArray[np.float64], labels: NDArray[np.float64], *, seed: int) -> Any:
    """Return scikit-learn's search for C, fitted: its best pipeline of a scaler and an SVR, and its score."""
    from sklearn.model_selection import GridSearchCV, KFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVR

    folds = KFold(min(NUM_FOLDS, len(labels)), shuffle=True, random_state=derived_seed(seed, "svr"))
    model = make_pipeline(StandardScaler(), SVR(kernel="linear", epsilon=EPSILON))
    search = GridSearchCV(model, {"svr__C": COSTS}, cv=folds, scoring="neg_mean_squared_error")
    return search.fit(numbers, labels)
