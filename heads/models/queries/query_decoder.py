"""A decoder whose learned queries attend to each other and to a video's steps.

Inter-AQA (UIL-AQA), github.com/dx199771/Interpretability-AQA (MIT). The names of the weights are those of its
class TQN. Normalization comes before each part of a layer.
"""

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Residual = Literal["paper", "official"]
MOST_ATTENTION_HEADS = (4, 2, 1)
WAVELENGTH = 10_000.0  # the longest one of the position code, in steps, divided by 2 pi


class Decoded(NamedTuple):
    """Queries `(batch, query, dim)`, what they attend to `(batch, query, time)`, and a divergence `(batch)`.

    `attention` is the last layer's, the mean over attention heads. `divergence` is the sum over layers.
    """

    queries: Tensor
    attention: Tensor
    divergence: Tensor


class QueryDecoder(nn.Module):
    """Layers over learned queries, and a normalization."""

    def __init__(
        self,
        dim: int,
        *,
        num_layers: int,
        feed_forward: int,
        dropout: float,
        attention_dropout: float,
        residual: Residual,
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [
                QueryLayer(
                    dim,
                    feed_forward=feed_forward,
                    dropout=dropout,
                    attention_dropout=attention_dropout,
                    residual=residual,
                )
                for _ in range(num_layers)
            ]
        )
        self.norm = nn.LayerNorm(dim)

    def forward(self, queries: Tensor, positions: Tensor, steps: Tensor, padding: Tensor | None) -> Decoded:
        """Decode queries `(batch, query, dim)` at positions `(query, dim)` from steps `(batch, time, dim)`.

        `padding` `(batch, time)` marks the steps that are not read.
        """
        divergence = steps.new_zeros(len(steps))
        for layer in self.layers:
            decoded = layer(queries, positions, steps, padding)
            queries, divergence = decoded.queries, divergence + decoded.divergence
        return Decoded(self.norm(queries), decoded.attention, divergence)


class QueryLayer(nn.Module):
    """Attention among queries, attention to steps, and a feed-forward network.

    With the residual "official" the first attention is added to itself, not to the queries, which are lost.
    This is a fault of the authors' code.
    """

    def __init__(
        self, dim: int, *, feed_forward: int, dropout: float, attention_dropout: float, residual: Residual
    ) -> None:
        super().__init__()
        heads = next(number for number in MOST_ATTENTION_HEADS if dim % number == 0)
        self.self_attn = nn.MultiheadAttention(dim, heads, dropout=attention_dropout, batch_first=True)
        self.multihead_attn = nn.MultiheadAttention(dim, heads, dropout=attention_dropout, batch_first=True)
        self.linear1 = nn.Linear(dim, feed_forward)
        self.linear2 = nn.Linear(feed_forward, dim)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(dim) for _ in range(3))
        self.dropout = nn.Dropout(dropout)
        self.residual = residual

    def forward(self, queries: Tensor, positions: Tensor, steps: Tensor, padding: Tensor | None) -> Decoded:
        """Return the queries after the layer; shapes as in `QueryDecoder.forward`."""
        normed = self.norm1(queries)
        placed = normed + positions
        among, _ = self.self_attn(placed, placed, normed, need_weights=False)
        queries = (among if self.residual == "official" else queries) + self.dropout(among)
        read, attention = self.multihead_attn(
            self.norm2(queries) + positions, steps, steps, key_padding_mask=padding
        )
        queries = queries + self.dropout(read)
        hidden = self.dropout(torch.relu(self.linear1(self.norm3(queries))))
        queries = queries + self.dropout(self.linear2(hidden))
        return Decoded(queries, attention, similarity_divergence(among, read))


def similarity_divergence(among: Tensor, read: Tensor) -> Tensor:
    """Return how far the queries' similarities after both attentions differ, `(batch)`.

    It is the Kullback-Leibler divergence between the rows of softmax(b b^T / dim) and softmax(a a^T / dim),
    for a and b `(batch, query, dim)`, summed over queries.
    """
    first, second = ((each @ each.mT / each.shape[-1]).log_softmax(dim=-1) for each in (among, read))
    return F.kl_div(first, second, reduction="none", log_target=True).sum(dim=(1, 2))


def sinusoids(num_positions: int, dim: int, *, device: torch.device | None = None) -> Tensor:
    """Return the position code `(position, dim)`: sines in even columns, cosines in odd ones."""
    columns = torch.arange(0, dim, 2, device=device)
    angles = torch.arange(num_positions, device=device)[:, None] * WAVELENGTH ** (-columns / dim)
    code = torch.zeros(num_positions, dim, device=device)
    code[:, 0::2], code[:, 1::2] = angles.sin(), angles.cos()[:, : dim // 2]
    return code
