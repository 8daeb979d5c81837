"""How a stream's instances become one feature: context-aware attention, and what Table 3 puts in its place.

Paper: Zeng et al., ACM MM 2020, sections 3.2, 3.3 and 5.4. Every aggregation embeds the instances first (two
linear layers with ReLU, section 5.2) and is called as `module(features, mask)` with `batch time dim` and
`batch time`; it returns the stream's feature `batch out_dim` and the weight of each instance `batch time`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from aqa_pipeline.errors import UnknownName
from heads.models.lstm import BiLstm, Lstm
from heads.models.temporal_graph import TemporalGraph, normalise_adjacency
from heads.models.variants import Variant

EMBEDDED_DIM = 256
ATTENTION_DIM = 128
NUM_FILTERS = 3  # of the rank-aware attention, as Table 3 says


def embedding(dim: int) -> nn.Sequential:
    """1024-512-256 for segments, 2048-1024-256 for pictures."""
    return nn.Sequential(nn.Linear(dim, dim // 2), nn.ReLU(), nn.Linear(dim // 2, EMBEDDED_DIM), nn.ReLU())


class AttentionUnit(nn.Module):
    """ATT-U: the weight of each instance, a softmax over the video's instances (eq. 5)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.score = nn.Sequential(nn.Linear(dim, ATTENTION_DIM), nn.ReLU(), nn.Linear(ATTENTION_DIM, 1))

    def forward(self, fused: Tensor, mask: Tensor) -> Tensor:
        logits = self.score(fused).squeeze(-1)
        # The lowest finite number, not -inf: a video without any instance gets zeros here, not nan.
        logits = logits.masked_fill(~mask, torch.finfo(logits.dtype).min)
        return logits.softmax(dim=-1) * mask


class ContextAwareAttention(nn.Module):
    """CAA: embed, relate in the graph, fuse (eq. 4), and sum by attention (eq. 5)."""

    def __init__(self, dim: int, *, variant: Variant) -> None:
        super().__init__()
        self.embedding = embedding(dim)
        self.graph = TemporalGraph(EMBEDDED_DIM, bias=variant.graph_bias)
        self.attention = AttentionUnit(2 * EMBEDDED_DIM)
        self.variant = variant

    def forward(self, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        mask = seen(mask, self.variant)
        instances = self.embedding(features)
        adjacency = normalise_adjacency(self.variant.adjacency(instances, mask))
        fused = torch.cat([instances, self.graph(instances, adjacency)], dim=-1)
        weights = self.attention(fused, mask)
        return weighted_sum(weights, fused), weights


class AveragePooling(nn.Module):
    """Every instance has the same weight: order and moment are lost."""

    def __init__(self, dim: int, *, variant: Variant) -> None:
        super().__init__()
        self.embedding = embedding(dim)
        self.variant = variant

    def forward(self, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        weights = equal_weights(seen(mask, self.variant), features.dtype)
        return weighted_sum(weights, self.embedding(features)), weights


class StandardAttention(nn.Module):
    """SAU: the attention unit on the embedded instances alone, without their context."""

    def __init__(self, dim: int, *, variant: Variant) -> None:
        super().__init__()
        self.embedding = embedding(dim)
        self.attention = AttentionUnit(EMBEDDED_DIM)
        self.variant = variant

    def forward(self, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        instances = self.embedding(features)
        weights = self.attention(instances, seen(mask, self.variant))
        return weighted_sum(weights, instances), weights


class RecurrentAttention(nn.Module):
    """LSTM + SAU: the context comes from a recurrent network, whose outputs are the attention unit's input.

    "We used an LSTM architecture to capture context information as the input to the SAU", hidden size 256, or
    128 in each direction: what is weighed is the recurrent output, not the instance beside it.
    """

    def __init__(self, dim: int, *, variant: Variant, recurrent: Callable[[int], nn.Module]) -> None:
        super().__init__()
        self.embedding = embedding(dim)
        self.recurrent = recurrent(EMBEDDED_DIM)
        self.attention = AttentionUnit(EMBEDDED_DIM)
        self.variant = variant

    def forward(self, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        mask = seen(mask, self.variant)
        context, _ = self.recurrent(self.embedding(features), mask)
        weights = self.attention(context, mask)
        return weighted_sum(weights, context), weights


class RankAwareAttention(nn.Module):
    """RTA: the multi-filter attention of Doughty et al., "The Pros and Cons", CVPR 2019, with three filters.

    Each filter is an attention unit of its own; the feature is the mean of what they select, and the weights
    are the mean of theirs. Its losses (ranking, diversity) belong to pairs of videos: they are not used here.
    """

    def __init__(self, dim: int, *, variant: Variant) -> None:
        super().__init__()
        self.embedding = embedding(dim)
        self.filters = nn.ModuleList([AttentionUnit(EMBEDDED_DIM) for _ in range(NUM_FILTERS)])
        self.variant = variant

    def forward(self, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        mask, instances = seen(mask, self.variant), self.embedding(features)
        weights = torch.stack([attend(instances, mask) for attend in self.filters]).mean(dim=0)
        return weighted_sum(weights, instances), weights


def seen(mask: Tensor, variant: Variant) -> Tensor:
    """The mask, or for the released code all of it: padding takes part there."""
    return mask if variant.masked else torch.ones_like(mask)


def equal_weights(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """1 / n for each of a video's n instances, `batch time`; zeros for a video without any."""
    return mask.to(dtype) / mask.sum(dim=-1, keepdim=True).clamp_min(1)


def weighted_sum(weights: Tensor, instances: Tensor) -> Tensor:
    """(batch time), (batch time dim) -> (batch dim)."""
    return (weights[:, None, :].to(instances.dtype) @ instances).squeeze(1)


def lstm_attention(dim: int, *, variant: Variant) -> RecurrentAttention:
    """LSTM + SAU."""
    return RecurrentAttention(dim, variant=variant, recurrent=lambda size: Lstm(size, EMBEDDED_DIM))


def bi_lstm_attention(dim: int, *, variant: Variant) -> RecurrentAttention:
    """Bi-LSTM + SAU."""
    return RecurrentAttention(dim, variant=variant, recurrent=lambda size: BiLstm(size, EMBEDDED_DIM // 2))


@dataclass(frozen=True)
class Aggregation:
    """One way of pooling: its module and the size of the feature that it gives."""

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
    """The aggregation of that name; raises `UnknownName`."""
    if name not in AGGREGATIONS:
        raise UnknownName("aggregation", name, AGGREGATIONS)
    return AGGREGATIONS[name]
