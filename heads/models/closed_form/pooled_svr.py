"""Average or maximum of a stream's features over time, then linear support vector regression (SVR).

Baselines of Zeng et al. (ACTION-NET), ACM MM 2020, section 5.2: "SVR only with a linear kernel".
"""

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from torch import Tensor

from heads.models.closed_form.linear_svr import LinearSvr
from heads.models.time_weights import equal_weights, weighted_sum

Pooling = Literal["average", "maximum"]


class PooledSvr(LinearSvr):
    """Score one stream: pool its real steps, standardize, and apply a linear function."""

    def __init__(self, dims: Mapping[str, int], *, pooling: Pooling) -> None:
        ((stream, dim),) = dims.items()
        super().__init__(stream, dim)
        self.pool = POOLINGS[pooling]

    def numbers(self, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the pooled features `(batch, dim)` and the weights of the pooling `(batch, time)`."""
        return self.pool(features, mask)


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
