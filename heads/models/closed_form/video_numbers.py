"""A video's steps as one row of numbers of fixed length, for regression in closed form."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

SEQUENCE_STEPS = 12

Streams = Mapping[str, Tensor]
View = Callable[[Streams, Streams], Tensor]  # features and masks of each stream -> (batch, number)


def pooled_numbers(features: Streams, masks: Streams) -> Tensor:
    """Return `(batch, number)`: per stream the mean and deviation of its steps, and the log of their count.

    A stream without a step gives nan.
    """
    return torch.cat([_pooled(features[stream], masks[stream]) for stream in sorted(masks)], dim=-1)


def sequence_numbers(features: Streams, masks: Streams) -> Tensor:
    """Return `(batch, number)`: each stream brought to 12 steps by linear interpolation.

    The first and last step stay. A stream without a step gives nan.
    """
    resampled = [resample(features[s], masks[s], num_steps=SEQUENCE_STEPS) for s in sorted(masks)]
    return torch.cat([steps.flatten(1) for steps in resampled], dim=-1)


def _pooled(features: Tensor, mask: Tensor) -> Tensor:
    steps, real = features.double(), mask[:, :, None]
    count = mask.sum(dim=1, keepdim=True).clamp_min(1)
    mean = (steps * real).sum(dim=1) / count
    variance = ((steps - mean[:, None]) ** 2 * real).sum(dim=1) / count
    numbers = torch.cat([mean, variance.sqrt(), count.log()], dim=-1)
    return numbers.masked_fill(~mask.any(dim=1, keepdim=True), torch.nan)


def resample(features: Tensor, mask: Tensor, *, num_steps: int) -> Tensor:
    """Return `(batch, num_steps, dim)`: the real steps, which come first, at evenly spaced times."""
    steps = features.double() * mask[:, :, None]
    last = (mask.sum(dim=1) - 1).clamp_min(0)[:, None]
    times = last * torch.linspace(0, 1, num_steps, dtype=torch.float64, device=features.device)
    before = times.floor().long()
    after = (before + 1).minimum(last)
    share = (times - before)[:, :, None]
    resampled = _at(steps, before) * (1 - share) + _at(steps, after) * share
    return resampled.masked_fill(~mask.any(dim=1)[:, None, None], torch.nan)


def _at(steps: Tensor, indices: Tensor) -> Tensor:
    return steps.gather(1, indices[:, :, None].expand(-1, -1, steps.shape[-1]))
