"""GDLT: the score is a mean of four grades' values, weighted by how much a video shows of each grade.

Paper: Xu et al., "Likert Scoring with Grade Decoupling for Long-term Action Assessment", CVPR 2022. Original
code: github.com/xuangch/CVPR22_GDLT (no license; no code is copied).

| | `paper` | `released` | `adapted` |
|---|---|---|---|
| padding in training | takes no part | zero rows count as steps | takes no part |
| values of the grades | 0 to 1 | 0 to 1 | -3 to 3 deviations |
| dropout of attention | 0.3 | 0.3 | none |
| width | 256 | 256 | 64 |
| least width of the first layer | 1 | 1 | 64 |

In all variants padding takes no part in testing, where the released code sees one whole video at a time.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from heads.models.likert.triplet import triplet_losses
from heads.models.likert.trunk import (
    ADAPTED_WIDTH,
    DROPOUT,
    NUM_GRADES,
    WIDTH,
    attention_of,
    grade_embeddings,
    grade_transformer,
    input_projection,
    likert_score,
)
from heads.models.likert.units import in_deviations
from heads.models.output import HeadOutput


class Gdlt(nn.Module):
    """Score one stream by likert scoring; the penalty is the triplet loss of the grades' embeddings."""

    def __init__(self, dims: Mapping[str, int], *, variant: str = "paper") -> None:
        super().__init__()
        ((self.stream, dim),) = dims.items()
        self.variant = variant
        values, width, dropout, least_hidden = torch.linspace(0, 1, NUM_GRADES), WIDTH, DROPOUT, 1
        if variant == "adapted":
            values, width, dropout, least_hidden = in_deviations(values), ADAPTED_WIDTH, 0.0, ADAPTED_WIDTH
        self.in_proj = input_projection(dim, width, least_hidden=least_hidden)
        self.transformer = grade_transformer(width, dropout=dropout)
        self.prototype = nn.Embedding(NUM_GRADES, width)
        self.regressor = nn.Linear(width, NUM_GRADES)
        self.register_buffer("values", values, persistent=False)

    def forward(self, features: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> HeadOutput:
        """Return scores `(batch)`, attention `(batch, time)` and the triplet loss `(batch)`."""
        mask = masks[self.stream]
        if self.variant == "released" and self.training:
            mask = torch.ones_like(mask)
        embeddings, weights = grade_embeddings(
            self.in_proj, self.transformer, self.prototype.weight, features[self.stream], mask
        )
        scores, shares = likert_score(self.regressor(embeddings), self.get_buffer("values"))
        return HeadOutput(scores, {self.stream: attention_of(shares, weights)}, triplet_losses(embeddings))
