"""Weight-Decider: clips are summed with a weight per feature dimension, which a small network decides.

Paper: Farabi et al., "Improving Action Quality Assessment Using Weighted Aggregation", IbPRIA 2022
(arXiv 2102.10555), eq. 1-3. Original code: github.com/Farabi-shafkat (no licence; own text).

Here the backbone is frozen: its average-pool features of each clip are stored, and what is trained is the
fully connected layers, the weight network and the regressor. The paper fine-tuned the backbone with them.

| | `paper` | `released` |
|---|---|---|
| weight network | 64-32-64-128, ReLU between | also dropout 0.1 after each hidden layer |
| its learning rate | 1e-4, as all that starts at random | 1e-5, put among the pretrained |
| layers before it | 512-256-128, or 2048-512-256-128 | 512-256-128 alone is in the repository |
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from aqa_pipeline.errors import UnknownName
from heads.models.output import HeadOutput

CLIP_DIM = 128
EMBEDDING_DIMS = (512, 256, CLIP_DIM)  # a feature of 512 or less enters at 256
WEIGHT_DIMS = (64, 32, 64, CLIP_DIM)
RELEASED_DROPOUT = 0.1
VARIANTS = {"paper": 0.0, "released": RELEASED_DROPOUT}


class WeightDecider(nn.Module):
    """WD: clips `batch clip 128` -> as many weights, a softmax over clips in each dimension (eq. 2, 3)."""

    def __init__(self, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.network = _mlp((CLIP_DIM, *WEIGHT_DIMS), dropout=dropout)

    def forward(self, clips: Tensor, mask: Tensor) -> Tensor:
        logits = self.network(clips)
        logits = logits.masked_fill(~mask[:, :, None], torch.finfo(logits.dtype).min)
        return logits.softmax(dim=1) * mask[:, :, None]


class EqualWeights(nn.Module):
    """The average aggregation that WD is compared with: every clip counts the same."""

    def forward(self, clips: Tensor, mask: Tensor) -> Tensor:
        share = mask.to(clips.dtype) / mask.sum(dim=1, keepdim=True).clamp_min(1)
        return share[:, :, None].expand_as(clips)


class WeightedAggregation(nn.Module):
    """Clip features -> score in deviations of the training scores; attention is a clip's mean weight.

    `regressor` holds the layers around the weights: a linear one ends them, without a sigmoid.
    """

    def __init__(self, dims: Mapping[str, int], *, decide: nn.Module) -> None:
        super().__init__()
        ((self.stream, dim),) = dims.items()
        sizes = (dim, *(size for size in EMBEDDING_DIMS if size < dim or size == CLIP_DIM))
        self.regressor = nn.ModuleDict(
            {"embedding": _mlp(sizes, last_relu=True), "score": nn.Linear(CLIP_DIM, 1)}
        )
        self.decide = decide

    def forward(self, features: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> HeadOutput:
        clips = self.regressor["embedding"](features[self.stream])
        weights = self.decide(clips, masks[self.stream])
        video = (clips * weights).sum(dim=1)  # eq. 1
        return HeadOutput(self.regressor["score"](video).squeeze(-1), {self.stream: weights.mean(dim=-1)})


def build_weight_decider(dims: Mapping[str, int], *, variant: str = "paper") -> WeightedAggregation:
    """The head with WD; raises `UnknownName` for a variant that is not there."""
    if variant not in VARIANTS:
        raise UnknownName("variant of wd", variant, VARIANTS)
    return WeightedAggregation(dims, decide=WeightDecider(dropout=VARIANTS[variant]))


def build_average(dims: Mapping[str, int]) -> WeightedAggregation:
    """The same head with the mean over clips in WD's place."""
    return WeightedAggregation(dims, decide=EqualWeights())


def _mlp(sizes: Sequence[int], *, dropout: float = 0.0, last_relu: bool = False) -> nn.Sequential:
    """Linear layers of these sizes with ReLU (and dropout) between them."""
    layers: list[nn.Module] = []
    for at, (size, following) in enumerate(pairwise(sizes), start=2):
        layers.append(nn.Linear(size, following))
        if at < len(sizes) or last_relu:
            layers += [nn.ReLU(), *([nn.Dropout(dropout)] if dropout else [])]
    return nn.Sequential(*layers)
