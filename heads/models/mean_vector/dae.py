"""DAE: mean and variance of a normal distribution of the score, from the mean over a video's clips.

Paper: Zhang et al., "Auto-Encoding Score Distribution Regression for Action Quality Assessment", Neural
Computing and Applications 2024 (arXiv 2111.11029). The sizes and the names of the weights are those of the
authors' code, github.com/Luciferbobo/DAE-AQA (no license; no code is copied).

Differences from the authors' code:
* Testing predicts the mean. The code draws its predictions from the distribution, in testing too.
* The code's loss rewards errors, and cannot run as it was released, because it squares a list. The variant
  `released` has its formula with the predicted variance in place of the list.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from heads.models.output import HeadOutput
from heads.models.time_weights import equal_weights, weighted_sum

HIDDEN = (256, 128)


class DistributionHead(nn.Module):
    """Predict the distribution of the score from the mean over the real steps of one stream."""

    def __init__(self, dims: Mapping[str, int]) -> None:
        super().__init__()
        ((self.stream, dim),) = dims.items()
        self.regressor = DistributionEncoder(dim)

    def forward(self, features: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> HeadOutput:
        """Return mean scores `(batch)`, in training scores drawn from the distribution, and equal weights.

        `logits` `(batch, 2)` are the mean and the log variance.
        """
        mask = masks[self.stream]
        weights = equal_weights(mask, features[self.stream].dtype)
        mean, log_variance = self.regressor(weighted_sum(weights, features[self.stream]))
        deviation = (log_variance / 2).exp()
        scores = mean + deviation * torch.randn_like(mean) if self.training else mean
        return HeadOutput(
            scores,
            {self.stream: weights},
            logits=torch.stack([mean, log_variance], dim=-1),
            deviations=deviation,
        )


class DistributionEncoder(nn.Module):
    """A network of two hidden layers with two outputs; the names of its weights are the authors'."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, HIDDEN[0])
        self.fch = nn.Linear(*HIDDEN)
        self.fc2_mean = nn.Linear(HIDDEN[1], 1)
        self.fc2_logvar = nn.Linear(HIDDEN[1], 1)

    def forward(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Return means and log variances `(batch)` of vectors `(batch, dim)`."""
        hidden = torch.relu(self.fch(torch.relu(self.fc1(vectors))))
        return self.fc2_mean(hidden).squeeze(-1), self.fc2_logvar(hidden).squeeze(-1)
