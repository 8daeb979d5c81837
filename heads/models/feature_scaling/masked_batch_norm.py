"""Batch normalization over the real steps of a batch."""

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

MOMENTUM = 0.1  # the default of torch


class MaskedBatchNorm(nn.Module):
    """Normalize steps over the real ones of a batch; padding becomes zero."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(dim, momentum=MOMENTUM)

    def forward(self, steps: Tensor, mask: Tensor) -> Tensor:
        """Return the normalized steps `(batch, time, dim)`."""
        return masked_batch_norm(self.norm, steps, mask)


def masked_batch_norm(norm: _BatchNorm, steps: Tensor, mask: Tensor) -> Tensor:
    """Return `norm` of the steps `(batch, time, dim)` that the mask `(batch, time)` calls real, and zeros.

    Masked sums keep the shapes fixed. Selecting the real steps would make the CPU wait for the GPU to count
    them.
    """
    real, exact = mask[:, :, None], steps.float()
    mean, variance = _batch_statistics(norm, exact, real) if norm.training else _running_statistics(norm)
    weight = norm.weight * (variance + norm.eps).rsqrt()
    return (((exact - mean) * weight + norm.bias) * real).to(steps.dtype)


def _batch_statistics(norm: _BatchNorm, steps: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and variance `(dim)` of the real steps; update the running ones."""
    number = real.sum().clamp_min(1)
    mean = (steps * real).sum(dim=(0, 1)) / number
    variance = ((steps - mean) ** 2 * real).sum(dim=(0, 1)) / number
    with torch.no_grad():
        unbiased = variance * number / (number - 1).clamp_min(1)
        for running, current in zip(_running_statistics(norm), (mean, unbiased), strict=True):
            running.lerp_(current, MOMENTUM)
        norm.get_buffer("num_batches_tracked").add_(1)
    return mean, variance


def _running_statistics(norm: _BatchNorm) -> tuple[Tensor, Tensor]:
    return norm.get_buffer("running_mean"), norm.get_buffer("running_var")
