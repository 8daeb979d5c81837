"""A network beside ridge regression: the score is a weighted mean of both.

With few videos, or with features of a network that was fine-tuned on the training set, a network alone can
be worse than ridge regression on pooled numbers. Inner cross-validation chooses the weight of the two.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from heads.models.closed_form.kernel_regression import (
    RANK_TOLERANCE,
    Floats,
    Folds,
    KernelRegression,
    rank_correlation,
    smoothest,
)
from heads.models.closed_form.regressors import width_of
from heads.models.closed_form.video_numbers import Streams, pooled_numbers
from heads.models.output import HeadOutput
from heads.models.time_weights import equal_weights

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)  # of ridge regression


class BesideRidge(nn.Module):
    """Score a video by `(1 - share) * network + share * ridge`; ridge regression weighs all steps alike."""

    def __init__(self, network: nn.Module, dims: Mapping[str, int], *, share: float) -> None:
        super().__init__()
        self.network = network
        self.ridge = KernelRegression(width_of("pooled", dims))
        self.register_buffer("share", torch.tensor(share, dtype=torch.float64))

    def forward(self, features: Streams, masks: Streams) -> HeadOutput:
        """Return scores `(batch)` in standard units, and the weight of each step `(batch, time)`."""
        share = self.get_buffer("share")
        output: HeadOutput = self.network(features, masks)
        of_ridge: Tensor = self.ridge(pooled_numbers(features, masks))
        attention = {
            stream: mixed(weights, equal_weights(masks[stream], weights.dtype), share.to(weights.dtype))
            for stream, weights in output.attention.items()
        }
        scores = mixed(output.scores.double(), of_ridge, share).float()
        return output._replace(scores=scores, attention=attention)

    def fit_ridge(self, features: Streams, masks: Streams, labels: Floats, *, folds: Folds) -> Floats:
        """Fit ridge regression to labels `(video)` in standard units; return its out-of-fold predictions."""
        numbers = pooled_numbers(features, masks)
        return self.ridge.fit_ridge(numbers, labels, folds=folds, choose=smoothest)


Predictions = TypeVar("Predictions", Tensor, Floats)


def mixed(of_network: Predictions, of_ridge: Predictions, share: Any) -> Predictions:
    """Return the weighted mean of two predictions, `share` being the weight of ridge regression."""
    return of_network + share * (of_ridge - of_network)


def share_of_ridge(of_network: Floats, of_ridge: Floats, labels: Floats) -> float:
    """Return the largest share whose rank correlation is within 0.01 of the best one's.

    All predictions `(video)` are out of fold. Ridge regression follows single videos least, as the strongest
    regularization does.
    """
    correlations = [rank_correlation(mixed(of_network, of_ridge, share), labels) for share in SHARES]
    near = [
        share
        for share, value in zip(SHARES, correlations, strict=True)
        if value >= max(correlations) - RANK_TOLERANCE
    ]
    return max(near)


def ridge_part(module: nn.Module) -> float:
    """Return the share of ridge regression in the score of a fitted head, 0 for a network alone."""
    return float(module.get_buffer("share")) if isinstance(module, BesideRidge) else 0.0


def network_of(module: nn.Module) -> nn.Module:
    """Return the network without ridge regression beside it."""
    return module.network if isinstance(module, BesideRidge) else module
