"""A head whose features are brought to mean 0 and variance 1 first, with statistics that travel with it."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from heads.outputs import HeadOutput


class Standardised(nn.Module):
    """The head, fed with `(features - mean) / deviation`; padding stays zero.

    `mean` and `deviation` (`dim`, per stream) are kept in the state, so a checkpoint is complete.
    """

    def __init__(self, head: nn.Module, dims: Mapping[str, int]) -> None:
        super().__init__()
        self.head = head
        for stream, dim in dims.items():
            self.register_buffer(f"mean_{stream}", torch.zeros(dim))
            self.register_buffer(f"deviation_{stream}", torch.ones(dim))

    def forward(self, features: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> HeadOutput:
        scaled = {
            stream: (steps - getattr(self, f"mean_{stream}"))
            / getattr(self, f"deviation_{stream}")
            * masks[stream][:, :, None]
            for stream, steps in features.items()
        }
        output: HeadOutput = self.head(scaled, masks)
        return output

    @torch.no_grad()
    def fit(self, features: Mapping[str, Tensor], lengths: Mapping[str, Tensor]) -> None:
        """Takes the statistics over all real steps of these videos (`video time dim` per stream)."""
        for stream, padded in features.items():
            real = torch.arange(padded.shape[1], device=padded.device) < lengths[stream][:, None]
            steps = padded[real].double()
            deviation = steps.std(dim=0, correction=0)
            getattr(self, f"mean_{stream}").copy_(steps.mean(dim=0))
            # A dimension that never changes carries nothing: it becomes 0, not 0 / 0.
            getattr(self, f"deviation_{stream}").copy_(torch.where(deviation > 1e-8, deviation, 1.0))
