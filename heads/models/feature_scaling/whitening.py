"""A head on whitened features: a few principal components of each stream, scaled to variance 1."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from heads.models.output import HeadOutput

# Components whose deviation is below this share of the strongest one's are rounding errors.
NEGLIGIBLE = 1e-6


class Whitened(nn.Module):
    """Feed `(features - mean) @ projection` to a head; padding stays zero.

    The features of untrained networks, or of few videos, share one large mean and vary most along directions
    that are unrelated to quality. A small head without whitening learns only those. `mean` `(dim)` and
    `projection` `(dim, component)` of each stream are buffers, so a checkpoint is complete.
    """

    def __init__(self, head: nn.Module, dims: Mapping[str, int], num_components: Mapping[str, int]) -> None:
        super().__init__()
        self.head = head
        for stream, dim in dims.items():
            self.register_buffer(f"mean_{stream}", torch.zeros(dim))
            self.register_buffer(f"projection_{stream}", torch.zeros(dim, num_components[stream]))

    def forward(self, features: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> HeadOutput:
        """Return the output of the head for the whitened features."""
        whitened = {
            stream: (steps - self.get_buffer(f"mean_{stream}"))
            @ self.get_buffer(f"projection_{stream}")
            * masks[stream][:, :, None]
            for stream, steps in features.items()
        }
        output: HeadOutput = self.head(whitened, masks)
        return output

    @torch.no_grad()
    def fit(self, features: Mapping[str, Tensor], lengths: Mapping[str, Tensor]) -> None:
        """Compute mean and projection over all real steps of videos, `(video, time, dim)` per stream."""
        for stream, padded in features.items():
            real = torch.arange(padded.shape[1]) < lengths[stream][:, None]
            mean, projection = principal_components(padded[real.to(padded.device)].double())
            kept = self.get_buffer(f"projection_{stream}")
            num = min(kept.shape[1], projection.shape[1])
            self.get_buffer(f"mean_{stream}").copy_(mean)
            # With fewer steps than components, the rest stays zero.
            kept[:, :num] = projection[:, :num]


def principal_components(steps: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean `(dim)` and projection `(dim, component)` that whiten the steps `(time, dim)`.

    Every dimension is scaled to variance 1 first. The components are sorted, the strongest first.
    """
    mean, deviation = steps.mean(dim=0), steps.std(dim=0, correction=0)
    # A constant dimension becomes 0, not 0 / 0.
    scale = torch.where(deviation > NEGLIGIBLE * deviation.max(), 1 / deviation, 0.0)
    _, strengths, directions = torch.linalg.svd((steps - mean) * scale, full_matrices=False)
    strengths = strengths[strengths > NEGLIGIBLE * strengths[0]]
    whitening = directions[: len(strengths)].mT / strengths * len(steps) ** 0.5
    return mean, scale[:, None] * whitening
