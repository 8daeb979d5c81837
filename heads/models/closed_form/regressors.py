"""Heads that are fitted at once to whole videos: the training mean, ridge and Gaussian-kernel regression.

They are the baselines that every other head is compared with, and heads of their own.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from heads.models.closed_form.kernel_regression import (
    Floats,
    Folds,
    KernelRegression,
    least_error,
    out_of_fold_means,
)
from heads.models.closed_form.video_numbers import (
    SEQUENCE_STEPS,
    Streams,
    View,
    pooled_numbers,
    sequence_numbers,
)
from heads.models.output import HeadOutput
from heads.models.time_weights import equal_weights

VIEWS: dict[str, View] = {"pooled": pooled_numbers, "sequence": sequence_numbers}


def width_of(view: str, dims: Mapping[str, int]) -> int:
    """Return how many numbers a view has of streams with features of these sizes."""
    per_stream = (2 * dim + 1 if view == "pooled" else SEQUENCE_STEPS * dim for dim in dims.values())
    return sum(per_stream)


class ClosedFormHead(nn.Module, ABC):
    """A head without gradients."""

    @abstractmethod
    def forward(self, features: Streams, masks: Streams) -> HeadOutput:
        """Return scores `(batch)`, and the weight of each step `(batch, time)`."""

    @abstractmethod
    def fit_videos(
        self, features: Streams, masks: Streams, labels: Floats, *, folds: Folds, seed: int
    ) -> Floats | None:
        """Fit to training videos with labels `(video)`; return out-of-fold predictions, or None without any.

        `folds` are the held-out videos of each inner fold.
        """


def equally_weighted(scores: Tensor, masks: Streams) -> HeadOutput:
    """Return scores `(batch)` of whole videos, with equal weights of the real steps `(batch, time)`."""
    return HeadOutput(scores.float(), {s: equal_weights(mask, torch.float32) for s, mask in masks.items()})


class MeanHead(ClosedFormHead):
    """Predict the mean of the training scores for every video."""

    def __init__(self, dims: Mapping[str, int]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros((), dtype=torch.float64))

    def forward(self, features: Streams, masks: Streams) -> HeadOutput:
        """Return the training mean for each video `(batch)`."""
        return equally_weighted(self.get_buffer("mean").expand(len(next(iter(masks.values())))), masks)

    def fit_videos(
        self, features: Streams, masks: Streams, labels: Floats, *, folds: Folds, seed: int
    ) -> Floats:
        """Keep the mean; return each fold's mean of the others."""
        self.get_buffer("mean").fill_(labels.mean())
        return out_of_fold_means(labels, folds)


class RidgeHead(ClosedFormHead):
    """Ridge regression on the mean and deviation of each stream's steps and the log of their count."""

    def __init__(self, dims: Mapping[str, int]) -> None:
        super().__init__()
        self.regression = KernelRegression(width_of("pooled", dims))

    def forward(self, features: Streams, masks: Streams) -> HeadOutput:
        """Return the predictions `(batch)`."""
        return equally_weighted(self.regression(pooled_numbers(features, masks)), masks)

    def fit_videos(
        self, features: Streams, masks: Streams, labels: Floats, *, folds: Folds, seed: int
    ) -> Floats:
        """Fit with the strength that has the smallest leave-one-out error."""
        numbers = pooled_numbers(features, masks)
        return self.regression.fit_ridge_cv(numbers, labels, folds=folds)


class GaussianKernelHead(ClosedFormHead):
    """Support vector regression with a Gaussian kernel on pooled numbers or on the sequence of 12 steps.

    Inner cross-validation chooses between the two, the kernel's width and the cost.
    """

    def __init__(self, dims: Mapping[str, int]) -> None:
        super().__init__()
        self.regressions = nn.ModuleDict({view: KernelRegression(width_of(view, dims)) for view in VIEWS})
        self.register_buffer("chosen", torch.zeros((), dtype=torch.int64))

    def forward(self, features: Streams, masks: Streams) -> HeadOutput:
        """Return the predictions `(batch)` of the chosen view."""
        view = tuple(VIEWS)[int(self.get_buffer("chosen"))]
        return equally_weighted(self.regressions[view](VIEWS[view](features, masks)), masks)

    def fit_videos(
        self, features: Streams, masks: Streams, labels: Floats, *, folds: Folds, seed: int
    ) -> Floats:
        """Fit both views and keep the one with the smaller out-of-fold error."""
        out_of_fold = [
            self.regressions[name].fit_gaussian(  # type: ignore[operator]
                view(features, masks), labels, folds=folds, choose=least_error
            )
            for name, view in VIEWS.items()
        ]
        errors = [float(np.mean((predicted - labels) ** 2)) for predicted in out_of_fold]
        best = int(np.argmin(errors))
        self.get_buffer("chosen").fill_(best)
        for index, name in enumerate(VIEWS):
            if index != best:
                self.regressions[name].forget()  # type: ignore[operator]
        predicted: Floats = out_of_fold[best]
        return predicted


def inner_folds(
    num_videos: int, *, num_folds: int, seed: int, groups: Sequence[str] | None = None
) -> list[NDArray[np.int64]]:
    """Return the held-out videos of each fold; whole groups stay together.

    With fewer groups (or videos) than folds there are as many folds as groups.
    """
    from sklearn.model_selection import GroupKFold, KFold

    everyone = np.arange(num_videos)
    num_groups = len(set(groups)) if groups is not None else num_videos
    if groups is not None and num_groups >= 2:
        splitter = GroupKFold(min(num_folds, num_groups), shuffle=True, random_state=seed)
        return [held_out for _, held_out in splitter.split(everyone, groups=groups)]
    plain = KFold(min(num_folds, num_videos), shuffle=True, random_state=seed)
    return [held_out for _, held_out in plain.split(everyone)]
