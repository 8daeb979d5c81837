"""Weights over the time steps of a video, and the sums that they make."""

import torch
from torch import Tensor


def equal_weights(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """Return 1 / n for each of a video's n real steps, `(batch, time)`.

    Zeros for a video without any step.
    """
    return mask.to(dtype) / mask.sum(dim=-1, keepdim=True).clamp_min(1)


def weighted_sum(weights: Tensor, features: Tensor) -> Tensor:
    """Return the sum over time `(batch, dim)` of features `(batch, time, dim)` by weights `(batch, time)`."""
    return (weights[:, None, :].to(features.dtype) @ features).squeeze(1)
