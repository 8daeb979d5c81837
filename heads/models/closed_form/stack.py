"""The stack: closed-form experts and a small attention network, weighted by inner cross-validation.

Four parts predict the score: ridge regression on pooled numbers, Gaussian-kernel regression on pooled
numbers and on the sequence of 12 steps, and an attention network on the steps. Stacking: Wolpert, "Stacked
generalization", Neural Networks 1992; van der Laan et al., "Super Learner", 2007. Least squares finds the
weights there; with few videos it loses to a single part. Here a part's weight falls by a factor e for every
0.03 of out-of-fold rank correlation that it lies below the best part.
"""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from heads.models.closed_form.calibration import IncreasingMap
from heads.models.closed_form.kernel_regression import (
    Floats,
    Folds,
    KernelRegression,
    out_of_fold_means,
    rank_correlation,
    smoothest,
)
from heads.models.closed_form.regressors import width_of
from heads.models.closed_form.video_numbers import Streams, pooled_numbers, sequence_numbers
from heads.models.feature_scaling.standardized import Standardized
from heads.models.output import HeadOutput

EXPERTS = ("ridge", "pooled", "sequence")
NETWORK = "network"
PARTS = (*EXPERTS, NETWORK)
TEMPERATURE = 0.03  # of rank correlation
LEAST_WEIGHT = 0.02  # of the best part's weight; a part below it counts for nothing
LEAST_ERRORS = 3.0  # standard errors of a rank correlation without any relation; more is not chance
SURELY_RELATED = 0.65  # a rank correlation that is not chance, however few the videos are
HIDDEN_DIM = 128
DROPOUT = 0.3


class AttentionNetwork(nn.Module):
    """Score a video by the mean and the attention-weighted sum of its embedded steps, per stream."""

    def __init__(self, dims: Mapping[str, int]) -> None:
        super().__init__()
        self.embeddings = nn.ModuleDict(
            {
                s: nn.Sequential(nn.Linear(dim, HIDDEN_DIM), nn.GELU(), nn.Dropout(DROPOUT))
                for s, dim in dims.items()
            }
        )
        self.attention = nn.ModuleDict({stream: nn.Linear(HIDDEN_DIM, 1) for stream in dims})
        self.regressor = nn.Linear(2 * HIDDEN_DIM * len(dims), 1)
        nn.init.zeros_(self.regressor.weight)
        nn.init.zeros_(self.regressor.bias)

    def forward(self, features: Streams, masks: Streams) -> HeadOutput:
        """Return scores `(batch)` in standard units, and the weight of each step `(batch, time)`."""
        pooled, weights = [], {}
        for stream, embed in self.embeddings.items():
            steps, mask = embed(features[stream]), masks[stream]
            logits = self.attention[stream](steps).squeeze(-1)
            logits = logits.masked_fill(~mask, torch.finfo(logits.dtype).min)
            weights[stream] = logits.softmax(dim=-1) * mask
            count = mask.sum(dim=1, keepdim=True).clamp_min(1)
            pooled += [
                (weights[stream][:, :, None] * steps).sum(dim=1),
                (steps * mask[:, :, None]).sum(dim=1) / count,
            ]
        return HeadOutput(self.regressor(torch.cat(pooled, dim=-1)).squeeze(-1), weights)


class Stack(nn.Module):
    """The weighted sum of the parts' predictions; the attention is the network's.

    A part's prediction is centered by `center` and divided by `scale`, mean and deviation of its out-of-fold
    predictions, and multiplied by its weight and its rank correlation; an increasing map brings the sum to
    standard units of the score.
    """

    def __init__(self, dims: Mapping[str, int]) -> None:
        super().__init__()
        views = {"ridge": "pooled", "pooled": "pooled", "sequence": "sequence"}
        self.experts = nn.ModuleDict(
            {name: KernelRegression(width_of(view, dims)) for name, view in views.items()}
        )
        self.network = Standardized(AttentionNetwork(dims), dims)
        for name in ("weights", "center", "scale", "correlation"):
            self.register_buffer(name, torch.zeros(len(PARTS), dtype=torch.float64))
        self.calibrate = IncreasingMap()

    def forward(self, features: Streams, masks: Streams) -> HeadOutput:
        """Return scores `(batch)` in standard units, and the weight of each step `(batch, time)`."""
        output: HeadOutput = self.network(features, masks)
        parts = torch.stack([*self._expert_scores(features, masks), output.scores.double()], dim=-1)
        return HeadOutput(self._combined(parts).float(), output.attention)

    def _expert_scores(self, features: Streams, masks: Streams) -> list[Tensor]:
        pooled, sequence = pooled_numbers(features, masks), sequence_numbers(features, masks)
        views = {"ridge": pooled, "pooled": pooled, "sequence": sequence}
        return [self.experts[name](views[name]) for name in EXPERTS]

    def _combined(self, parts: Tensor) -> Tensor:
        """Return the weighted sum `(batch)` of predictions `(batch, part)`."""
        return torch.as_tensor(self.calibrate(self._sum(parts)))

    def _sum(self, parts: Tensor) -> Tensor:
        standard = (parts - self.get_buffer("center")) / self.get_buffer("scale").clamp_min(1e-9)
        return (standard * self.get_buffer("weights") * self.get_buffer("correlation")).sum(dim=-1)

    def fit_experts(self, features: Streams, masks: Streams, labels: Floats, *, folds: Folds) -> list[Floats]:
        """Fit the closed-form experts; return the out-of-fold predictions of each."""
        pooled, sequence = pooled_numbers(features, masks), sequence_numbers(features, masks)
        choose = partial(smoothest, fold_means=out_of_fold_means(labels, folds))
        ridge, gaussian = self.experts["ridge"], [self.experts["pooled"], self.experts["sequence"]]
        return [
            ridge.fit_ridge(pooled, labels, folds=folds, choose=choose),  # type: ignore[operator]
            *(
                expert.fit_gaussian(numbers, labels, folds=folds, choose=choose)  # type: ignore[operator]
                for expert, numbers in zip(gaussian, (pooled, sequence), strict=True)
            ),
        ]

    def weigh(self, out_of_fold: Sequence[Floats], labels: Floats, *, folds: Folds) -> Floats:
        """Set weights and scale from the parts' out-of-fold predictions; return the stack's own.

        A prediction counts by what it adds to the mean label outside of its fold. Where no part finds more
        than chance does, every video gets the mean score.
        """
        below_mean = out_of_fold_means(labels, folds) - labels.mean()
        parts = np.stack(out_of_fold, axis=1) - below_mean[:, None]
        correlation = above_chance(
            np.array([rank_correlation(each, labels) for each in parts.T]), len(labels)
        )
        for name, values in {
            "weights": weights_of(correlation),
            "correlation": correlation,
            "center": parts.mean(axis=0),
            "scale": parts.std(axis=0),
        }.items():
            self.get_buffer(name).copy_(torch.tensor(values))
        total = self._sum(torch.tensor(parts)).numpy()
        self.calibrate.fit(total, labels)
        return np.asarray(self._combined(torch.tensor(parts)).numpy()) + below_mean


def above_chance(correlation: NDArray[np.float64], num_videos: int) -> NDArray[np.float64]:
    """Return the rank correlations `(part)`, with 0 for those that chance brings about as well."""
    least = min(LEAST_ERRORS / np.sqrt(max(num_videos - 1, 1)), SURELY_RELATED)
    return np.where(correlation > least, correlation, 0.0)


def weights_of(correlation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weights `(part)` of parts with these out-of-fold rank correlations; they sum to 1."""
    weights = np.exp((correlation - correlation.max()) / TEMPERATURE)
    weights[weights < LEAST_WEIGHT] = 0.0
    kept: NDArray[np.float64] = weights / weights.sum()
    return kept
