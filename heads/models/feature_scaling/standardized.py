"""A head on standardized features: mean 0 and variance 1 of each dimension over the training set's steps."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from heads.models.output import HeadOutput

# Dimensions whose deviation is below this share of the largest one's do not vary: they become 0.
NEGLIGIBLE = 1e-6


class Standardized(nn.Module):
    """Feed `(features - mean) * scale` to a head; padding stays zero.

    `mean` and `scale` `(dim)` of each stream are buffers, so a checkpoint is complete. In training `dropout`
    leaves out a share of the feature dimensions.
    """

    def __init__(self, head: nn.Module, dims: Mapping[str, int], *, dropout: float = 0.0) -> None:
        super().__init__()
        self.head = head
        self.dropout = nn.Dropout(dropout)
        for stream, dim in dims.items():
            self.register_buffer(f"mean_{stream}", torch.zeros(dim))
            self.register_buffer(f"scale_{stream}", torch.ones(dim))

    def forward(self, features: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> HeadOutput:
        """Return the output of the head for the standardized features."""
        standardized = {s: self._standardized(s, features[s], mask) for s, mask in masks.items()}
        output: HeadOutput = self.head({**features, **standardized}, masks)
        return output

    def _standardized(self, stream: str, steps: Tensor, mask: Tensor) -> Tensor:
        scaled = (steps - self.get_buffer(f"mean_{stream}")).mul_(self.get_buffer(f"scale_{stream}"))
        kept: Tensor = self.dropout(scaled)
        return kept.mul_(mask[:, :, None])

    @torch.no_grad()
    def fit(self, features: Mapping[str, Tensor], lengths: Mapping[str, Tensor]) -> None:
        """Compute mean and scale over all real steps of videos, `(video, time, dim)` per stream."""
        for stream, padded in features.items():
            real = torch.arange(padded.shape[1]) < lengths[stream][:, None]
            steps = padded[real.to(padded.device)].double().flatten(0, -2)
            if not len(steps):
                continue
            deviation = steps.std(dim=0, correction=0)
            scale = torch.where(deviation > NEGLIGIBLE * deviation.max(), 1 / deviation, 0.0)
            self.get_buffer(f"mean_{stream}").copy_(steps.mean(dim=0))
            self.get_buffer(f"scale_{stream}").copy_(scale)
