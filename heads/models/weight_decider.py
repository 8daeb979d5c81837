"""Weight-Decider (WD): a small network decides a weight per clip and feature dimension to sum the clips by.

Paper: Farabi et al., "Improving Action Quality Assessment Using Weighted Aggregation", IbPRIA 2022
(arXiv 2102.10555), eq. 1-3. Original code: github.com/Farabi-shafkat (no license; no code is
copied).

On stored features the backbone is frozen; the fully connected layers, the weight network and the regressor
are trained. The paper trained the backbone, too, as `heads.models.fine_tuned` does.

| | `paper` | `released` |
|---|---|---|
| weight network | 64-32-64-128, ReLU between | also dropout 0.1 after each hidden layer |
| its learning rate | 1e-4, as all randomly initialized layers | 1e-5, as the pretrained layers |
| layers before it | 512-256-128, or 2048-512-256-128 | only 512-256-128 is in the repository |

The variant `adapted` is the network of `released` with the dropout that its recipe chooses.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from aqa_pipeline.errors import UnknownName
from heads.data.device import to_device
from heads.models.output import HeadOutput
from heads.models.time_weights import equal_weights

CLIP_DIM = 128
EMBEDDING_DIMS = (512, 256, CLIP_DIM)  # features of 512 or less skip the layer of 512
WEIGHT_DIMS = (64, 32, 64, CLIP_DIM)
RELEASED_DROPOUT = 0.1
VARIANTS = {"paper": 0.0, "released": RELEASED_DROPOUT, "adapted": RELEASED_DROPOUT}


class WeightDecider(nn.Module):
    """WD: weigh clips by a softmax over the clips in each feature dimension (eq. 2, 3)."""

    def __init__(self, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.network = _mlp((CLIP_DIM, *WEIGHT_DIMS), dropout=dropout)

    def forward(self, clips: Tensor, mask: Tensor) -> Tensor:
        """Return weights `(batch, clip, 128)`, zero for padding."""
        logits = self.network(clips)
        logits = logits.masked_fill(~mask[:, :, None], torch.finfo(logits.dtype).min)
        return logits.softmax(dim=1) * mask[:, :, None]


class EqualWeights(nn.Module):
    """Average aggregation, the baseline of WD: every clip has the same weight."""

    def forward(self, clips: Tensor, mask: Tensor) -> Tensor:
        """Return weights `(batch, clip, 128)`, zero for padding."""
        return equal_weights(mask, clips.dtype)[:, :, None].expand_as(clips)


class WeightedAggregation(nn.Module):
    """Score a video by the weighted sum of its clip features.

    `decide` is a module from clips and mask to weights, all `(batch, clip, 128)` but the mask `(batch,
    clip)`. `regressor` holds the layers before and after the sum; the last one is linear, without a sigmoid.
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
        """Return scores `(batch)`, in standard deviations of the training scores, and mean weights."""
        clips = self.regressor["embedding"](features[self.stream])
        weights = self.decide(clips, to_device(masks[self.stream], clips.device))
        video = (clips * weights).sum(dim=1)  # eq. 1
        return HeadOutput(self.regressor["score"](video).squeeze(-1), {self.stream: weights.mean(dim=-1)})


def build_weight_decider(dims: Mapping[str, int], *, variant: str = "paper") -> WeightedAggregation:
    """Return the head with WD; raise `UnknownName` for an unknown variant."""
    if variant not in VARIANTS:
        raise UnknownName("variant of wd", variant, VARIANTS)
    return WeightedAggregation(dims, decide=WeightDecider(dropout=VARIANTS[variant]))


def build_average(dims: Mapping[str, int]) -> WeightedAggregation:
    """Return the same head with the mean over the clips instead of WD."""
    return WeightedAggregation(dims, decide=EqualWeights())


def _mlp(sizes: Sequence[int], *, dropout: float = 0.0, last_relu: bool = False) -> nn.Sequential:
    """Return linear layers of these sizes with ReLU (and dropout) between them."""
    layers: list[nn.Module] = []
    for at, (size, following) in enumerate(pairwise(sizes), start=2):
        layers.append(nn.Linear(size, following))
        if at < len(sizes) or last_relu:
            layers += [nn.ReLU(), *([nn.Dropout(dropout)] if dropout else [])]
    return nn.Sequential(*layers)
