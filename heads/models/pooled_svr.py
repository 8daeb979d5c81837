"""Average or maximum of a stream's features over time, then linear support vector regression (SVR).

Baselines of Zeng et al. (ACTION-NET), ACM MM 2020, section 5.2: "SVR only with a linear kernel". The paper
names no constants. Here features are standardized and C is chosen by five-fold cross-validation on the
training set (scikit-learn). The seed only draws the folds.
"""

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from heads.data.folds import derived_seed
from heads.models.output import HeadOutput
from heads.models.time_weights import equal_weights, weighted_sum

Pooling = Literal["average", "maximum"]

COSTS = tuple(10.0**power for power in range(-5, 2))
EPSILON = 0.01  # of the normalized score: one point in a hundred
NUM_FOLDS = 5


class PooledSvr(nn.Module):
    """Score one stream: pool its real steps, standardize, and apply a linear function."""

    def __init__(self, dims: Mapping[str, int], *, pooling: Pooling) -> None:
        super().__init__()
        ((self.stream, dim),) = dims.items()
        self.pool = POOLINGS[pooling]
        self.register_buffer("mean", torch.zeros(dim, dtype=torch.float64))
        self.register_buffer("scale", torch.ones(dim, dtype=torch.float64))
        self.register_buffer("coefficients", torch.zeros(dim, dtype=torch.float64))
        self.register_buffer("intercept", torch.zeros((), dtype=torch.float64))

    def forward(self, features: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> HeadOutput:
        """Return scores `(batch)` and the weights of the pooling, `(batch, time)`."""
        pooled, weights = self.pool(features[self.stream], masks[self.stream])
        standardized = (pooled.double() - self.get_buffer("mean")) / self.get_buffer("scale")
        scores = standardized @ self.get_buffer("coefficients") + self.get_buffer("intercept")
        return HeadOutput(scores.float(), {self.stream: weights})

    def fit(self, pooled: NDArray[np.float64], labels: NDArray[np.float64], *, seed: int) -> None:
        """Fit to pooled features `(video, dim)` and normalized labels `(video)`."""
        from sklearn.model_selection import GridSearchCV, KFold
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
        from sklearn.svm import SVR

        folds = KFold(min(NUM_FOLDS, len(labels)), shuffle=True, random_state=derived_seed(seed, "svr"))
        model = make_pipeline(StandardScaler(), SVR(kernel="linear", epsilon=EPSILON))
        search = GridSearchCV(model, {"svr__C": COSTS}, cv=folds, scoring="neg_mean_squared_error")
        scaler, svr = search.fit(pooled, labels).best_estimator_
        fitted = (scaler.mean_, scaler.scale_, svr.coef_[0], svr.intercept_[0])
        for name, values in zip(("mean", "scale", "coefficients", "intercept"), fitted, strict=True):
            self.get_buffer(name).copy_(torch.tensor(values))


def average(features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean over the real steps `(batch, dim)` and their weights; zeros for a video without any."""
    weights = equal_weights(mask, features.dtype)
    return weighted_sum(weights, features), weights


def maximum(features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return the maximum over the real steps, and the share of dimensions in which each step is the maximum.

    Both are zeros for a video without any step.
    """
    masked = features.masked_fill(~mask[:, :, None], -torch.inf)
    values, winners = masked.max(dim=1)
    counts = torch.zeros_like(features[:, :, 0]).scatter_add_(1, winners, torch.ones_like(values))
    some = mask.any(dim=-1, keepdim=True)
    return values.where(some, 0.0), counts / features.shape[-1] * some


POOLINGS: dict[Pooling, Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]] = {
    "average": average,
    "maximum": maximum,
}


def build_average(dims: Mapping[str, int]) -> PooledSvr:
    """Return average pooling and SVR."""
    return PooledSvr(dims, pooling="average")


def build_maximum(dims: Mapping[str, int]) -> PooledSvr:
    """Return maximum pooling and SVR."""
    return PooledSvr(dims, pooling="maximum")
