"""Pool the instances of a stream into one feature: context-aware attention and the alternatives of Table 3.

Paper: Zeng et al., ACM MM 2020, sections 3.2, 3.3 and 5.4. Every aggregation embeds the instances first (two
linear layers with ReLU, section 5.2). Every aggregation is a module `(features, mask) -> (pooled, weights)`
of shapes `(batch, time, dim)`, `(batch, time)`, `(batch, out_dim)` and `(batch, time)`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from aqa_pipeline.errors import UnknownName
from heads.models.lstm import BiLstm, Lstm
from heads.models.temporal_graph import TemporalGraph, Variant, normalize_adjacency
from heads.models.time_weights import equal_weights, weighted_sum

EMBEDDED_DIM = 256
ATTENTION_DIM = 128
NUM_FILTERS = 3  # of the rank-aware attention (Table 3)


def embedding(dim: int, variant: Variant) -> nn.Sequential:
    """Return two linear layers with ReLU: sizes 1024-512-256 for segments, 2048-1024-256 for frames."""
    hidden = variant.hidden_dim(dim)
    return nn.Sequential(nn.Linear(dim, hidden), nn.ReLU(), nn.Linear(hidden, EMBEDDED_DIM), nn.ReLU())


class AttentionUnit(nn.Module):
    """ATT-U: weigh each instance by a softmax over the instances of the video (eq. 5)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.score = nn.Sequential(nn.Linear(dim, ATTENTION_DIM), nn.ReLU(), nn.Linear(ATTENTION_DIM, 1))

    def forward(self, fused: Tensor, mask: Tensor) -> Tensor:
        """Return weights `(batch, time)` that sum to 1; zeros for a video without any instance."""
        logits = self.score(fused).squeeze(-1)
        # -inf would make nan of a video without any instance; the lowest finite number makes zeros.
        logits = logits.masked_fill(~mask, torch.finfo(logits.dtype).min)
        return logits.softmax(dim=-1) * mask


class ContextAwareAttention(nn.Module):
    """CAA: embed, relate in the graph, fuse (eq. 4), and sum by attention (eq. 5)."""

    def __init__(self, dim: int, *, variant: Variant) -> None:
        super().__init__()
        self.embedding = embedding(dim, variant)
        self.graph = TemporalGraph(EMBEDDED_DIM, bias=variant.graph_bias)
        self.attention = AttentionUnit(2 * EMBEDDED_DIM)
        self.variant = variant

    def forward(self, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the pooled feature `(batch, out_dim)` and the weights of the instances `(batch, time)`."""
        mask = attended_mask(mask, self.variant)
        instances = self.embedding(features)
        adjacency = normalize_adjacency(self.variant.adjacency(instances, mask))
        fused = torch.cat([instances, self.graph(instances, adjacency)], dim=-1)
        weights = self.attention(fused, mask)
        return weighted_sum(weights, fused), weights


class AveragePooling(nn.Module):
    """Average: every instance has the same weight, whatever its order or time."""

    def __init__(self, dim: int, *, variant: Variant) -> None:
        super().__init__()
        self.embedding = embedding(dim, variant)
        self.variant = variant

    def forward(self, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the pooled feature `(batch, out_dim)` and the weights of the instances `(batch, time)`."""
        weights = equal_weights(attended_mask(mask, self.variant), features.dtype)
        return weighted_sum(weights, self.embedding(features)), weights


class StandardAttention(nn.Module):
    """SAU: weigh the embedded instances by the attention unit, without their context."""

    def __init__(self, dim: int, *, variant: Variant) -> None:
        super().__init__()
        self.embedding = embedding(dim, variant)
        self.attention = AttentionUnit(EMBEDDED_DIM)
        self.variant = variant

    def forward(self, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the pooled feature `(batch, out_dim)` and the weights of the instances `(batch, time)`."""
        instances = self.embedding(features)
        weights = self.attention(instances, attended_mask(mask, self.variant))
        return weighted_sum(weights, instances), weights


class RecurrentAttention(nn.Module):
    """LSTM + SAU: weigh the outputs of a recurrent network by the attention unit.

    "We used an LSTM architecture to capture context information as the input to the SAU", hidden size 256, or
    128 in each direction. The weighted sum is over the recurrent outputs, not over the embedded instances.
    """

    def __init__(self, dim: int, *, variant: Variant, recurrent: Callable[[int], nn.Module]) -> None:
        super().__init__()
        self.embedding = embedding(dim, variant)
        self.recurrent = recurrent(EMBEDDED_DIM)
        self.attention = AttentionUnit(EMBEDDED_DIM)
        self.variant = variant

    def forward(self, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the pooled feature `(batch, out_dim)` and the weights of the instances `(batch, time)`."""
        mask = attended_mask(mask, self.variant)
        context, _ = self.recurrent(self.embedding(features), mask)
        weights = self.attention(context, mask)
        return weighted_sum(weights, context), weights


class RankAwareAttention(nn.Module):
    """RTA: the multi-filter attention of Doughty et al., "The Pros and Cons", CVPR 2019, with three filters.

    Each filter is an attention unit. The feature and the weights are the means over the filters. The ranking
    and diversity losses of the original need pairs of videos and are not used here.
    """

    def __init__(self, dim: int, *, variant: Variant) -> None:
        super().__init__()
        self.embedding = embedding(dim, variant)
        self.filters = nn.ModuleList([AttentionUnit(EMBEDDED_DIM) for _ in range(NUM_FILTERS)])
        self.variant = variant

    def forward(self, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the pooled feature `(batch, out_dim)` and the weights of the instances `(batch, time)`."""
        mask, instances = attended_mask(mask, self.variant), self.embedding(features)
        weights = torch.stack([attend(instances, mask) for attend in self.filters]).mean(dim=0)
        return weighted_sum(weights, instances), weights


def attended_mask(mask: Tensor, variant: Variant) -> Tensor:
    """Return the instances `(batch, time)` that take part: the real ones, or all in the released code."""
    return mask if variant.masked else torch.ones_like(mask)


def lstm_attention(dim: int, *, variant: Variant) -> RecurrentAttention:
    """Return LSTM + SAU."""
    return RecurrentAttention(dim, variant=variant, recurrent=lambda size: Lstm(size, EMBEDDED_DIM))


def bi_lstm_attention(dim: int, *, variant: Variant) -> RecurrentAttention:
    """Return Bi-LSTM + SAU."""
    return RecurrentAttention(dim, variant=variant, recurrent=lambda size: BiLstm(size, EMBEDDED_DIM // 2))


@dataclass(frozen=True)
class Aggregation:
    """A way of pooling: `build(dim, variant=...)` makes its module, `out_dim` is the size of its feature."""

    build: Callable[..., nn.Module]
    out_dim: int = EMBEDDED_DIM


AGGREGATIONS: dict[str, Aggregation] = {
    "caa": Aggregation(ContextAwareAttention, 2 * EMBEDDED_DIM),
    "average": Aggregation(AveragePooling),
    "sau": Aggregation(StandardAttention),
    "lstm-sau": Aggregation(lstm_attention),
    "bi-lstm-sau": Aggregation(bi_lstm_attention),
    "rta": Aggregation(RankAwareAttention),
}


def find_aggregation(name: str) -> Aggregation:
    """Return the aggregation of that name; raise `UnknownName` if there is none."""
    if name not in AGGREGATIONS:
        raise UnknownName("aggregation", name, AGGREGATIONS)
    return AGGREGATIONS[name]
