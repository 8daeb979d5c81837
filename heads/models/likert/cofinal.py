"""CoFInAl: coarse grades by two likert scores, and a fine grade by the nearest vertex of a fixed simplex.

Paper: Zhou et al., "CoFInAl: Enhancing Action Quality Assessment with Coarse-to-Fine Instruction Alignment",
IJCAI 2024. Original code: github.com/ZhouKanglei/CoFInAl_AQA (no license; no code is copied). The trunk is
that of GDLT (trunk.py), and names of weights are those of the code.

| | `paper` | `released` | `adapted` |
|---|---|---|---|
| attention before the fine vector | among a video's grades | among the videos of a batch | as `paper` |
| padding in training | takes no part | zero rows count as steps | takes no part |
| values of the grades | of the dataset | of the dataset | 0 to 1, and the reverse |
| width | 256, of Fis-V 448 | the same | 64 |
| least width of the first layer | 1 | 1 | 64 |
| score | in [0, 1] of the range | the same | in 6 deviations around the mean |

The released code means to attend among the four grades. Its attention takes the first axis for the sequence,
which is the batch. It tests one video at a time, where each grade then attends to itself alone; here testing
does the same for any batch. The fine grade moves a score by less than 0.01: what the fine vector costs in the
loss matters more than what it adds.
"""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from aqa_pipeline.errors import UnknownName
from heads.models.likert.coarse_to_fine import final_score, fine_outputs
from heads.models.likert.simplex import NUM_FINE, simplex
from heads.models.likert.triplet import triplet_losses
from heads.models.likert.trunk import (
    DROPOUT,
    NUM_GRADES,
    NUM_HEADS,
    WIDTH,
    attention_of,
    grade_embeddings,
    grade_transformer,
    input_projection,
    likert_score,
)
from heads.models.likert.units import in_deviations
from heads.models.output import HeadOutput

NUM_FINE_HEADS = 4
FINE_WIDTH = 256

# Values of the grades for the positive and for the negative score: numbers 0 to 3 in the released code.
GRADE_TABLES: Mapping[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "even": ((0, 1 / 3, 2 / 3, 1), (1, 2 / 3, 1 / 3, 0)),
    "quarters": ((0.25, 0.5, 0.75, 1), (1, 0.75, 0.5, 0.25)),
    "skewed": ((0.1, 0.2, 0.8, 1), (1, 1, -1, -1)),
    "signed": ((-1, -0.8, 0.8, 1), (1, 0.8, -0.8, -1)),
}

# Whom a grade's embedding attends to before the fine vector: the video's other grades, the same grade of the
# batch's other videos, or itself alone.
Among = Literal["grades", "videos", "itself"]


class CoFInAl(nn.Module):
    """Score one stream from coarse to fine.

    `grades` names the values of the grades. The penalty is `triplet_weight` times the triplet loss, which is
    without positives unless `with_positives`. Raises `UnknownName` for an unknown table of grades, and
    `ValueError` if the attention heads do not divide the width.
    """

    def __init__(
        self,
        dims: Mapping[str, int],
        *,
        variant: str = "paper",
        grades: str = "skewed",
        triplet_weight: float = 1.0,
        with_positives: bool = True,
        width: int = WIDTH,
        num_heads: int = NUM_HEADS,
    ) -> None:
        super().__init__()
        ((self.stream, dim),) = dims.items()
        if grades not in GRADE_TABLES:
            raise UnknownName("table of grades", grades, GRADE_TABLES)
        self.variant, self.triplet_weight, self.with_positives = variant, triplet_weight, with_positives
        dropout, least_hidden = (0.0, width) if variant == "adapted" else (DROPOUT, 1)
        self.in_proj = input_projection(dim, width, least_hidden=least_hidden)
        self.transformer = grade_transformer(width, num_heads=num_heads, dropout=dropout)
        self.prototype = nn.Embedding(NUM_GRADES, width)
        self.regressor = nn.Linear(width, NUM_GRADES)
        self.regressor_revert = nn.Linear(width, NUM_GRADES)
        for name, values in zip(("values", "values_revert"), GRADE_TABLES[grades], strict=True):
            self.register_buffer(name, torch.tensor(values), persistent=False)
        self.register_buffer("etf_vec1", simplex())
        to_vector = (nn.Flatten(), nn.Linear(NUM_GRADES * width, FINE_WIDTH), nn.Linear(FINE_WIDTH, NUM_FINE))
        self.regressori = nn.ModuleList([nn.Sequential(*to_vector)])
        self.regi = nn.ModuleList([nn.MultiheadAttention(width, NUM_FINE_HEADS, dropout)])

    def forward(self, features: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> HeadOutput:
        """Return scores `(batch)`, attention `(batch, time)`, the penalty and what the loss reads."""
        released, mask = self.variant == "released", masks[self.stream]
        if released and self.training:
            mask = torch.ones_like(mask)
        embeddings, weights = grade_embeddings(
            self.in_proj, self.transformer, self.prototype.weight, features[self.stream], mask
        )
        positive, shares = likert_score(self.regressor(embeddings), self.get_buffer("values"))
        negative, _ = likert_score(self.regressor_revert(embeddings), self.get_buffer("values_revert"))
        among: Among = "grades" if not released else "videos" if self.training else "itself"
        vectors, vertices = self.fine_vectors(embeddings, among=among), self.get_buffer("etf_vec1")
        scores = final_score(positive, negative, vectors, vertices)
        return HeadOutput(
            in_deviations(scores) if self.variant == "adapted" else scores,
            {self.stream: attention_of(shares, weights)},
            self.triplet_weight * triplet_losses(embeddings, with_positives=self.with_positives),
            fine_outputs(positive, negative, vectors, vertices),
        )

    def fine_vectors(self, embeddings: Tensor, *, among: Among) -> Tensor:
        """Return the unit vectors `(batch, dim)` of embeddings `(batch, grade, width)`."""
        sequences = {
            "grades": embeddings.transpose(0, 1),
            "videos": embeddings,
            "itself": embeddings.flatten(0, 1)[None],
        }[among]
        attended, _ = self.regi[0](sequences, sequences, sequences, need_weights=False)
        if among == "grades":
            attended = attended.transpose(0, 1)
        return F.normalize(self.regressori[0](attended.reshape(embeddings.shape)), dim=1)
