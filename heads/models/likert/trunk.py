"""The part that GDLT and CoFInAl share: features of a video's steps to one embedding per grade.

Paper: Xu et al., "Likert Scoring with Grade Decoupling for Long-term Action Assessment", CVPR 2022.
Original code: github.com/xuangch/CVPR22_GDLT (no license; no code is copied). Sizes, initialization and names
of the weights are those of that code, so that its checkpoints fit.

Steps pass two linear layers with batch normalization and one layer of a transformer's encoder, without a
position encoding: their order does not matter. A decoder of two layers then reads them with one learned query
per grade. Both follow torch's default, normalization after each residual sum, and end with a normalization.
"""

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from heads.models.feature_scaling.masked_batch_norm import masked_batch_norm

NUM_GRADES = 4
WIDTH = 256
# For few videos, and for features of few numbers, which half as many would not hold (docs/head-likert.md).
ADAPTED_WIDTH = 64
NUM_HEADS = 1
DROPOUT = 0.3
NUM_ENCODER_LAYERS, NUM_DECODER_LAYERS = 1, 2


def input_projection(dim: int, width: int = WIDTH, *, least_hidden: int = 1) -> nn.Sequential:
    """Return the layers before the transformer: `(batch, dim, time)` to `(batch, width, time)`.

    Between them are half as many numbers as before, but at least `least_hidden`.
    """
    hidden = max(least_hidden, dim // 2)
    return nn.Sequential(
        nn.Conv1d(dim, hidden, 1),
        nn.BatchNorm1d(hidden),
        nn.ReLU(),
        nn.Conv1d(hidden, width, 1),
        nn.BatchNorm1d(width),
    )


def grade_transformer(
    width: int = WIDTH, *, num_heads: int = NUM_HEADS, dropout: float = DROPOUT
) -> nn.Transformer:
    """Return encoder and decoder; raise `ValueError` if the attention heads do not divide the width."""
    if width < 1 or num_heads < 1 or width % num_heads:
        raise ValueError(f"a width of {width} cannot be divided among {num_heads} attention heads")
    layer = nn.TransformerEncoderLayer(width, num_heads, 3 * width, dropout, batch_first=True)
    # Nested tensors need an even number of attention heads, and torch warns where they are not possible.
    encoder = nn.TransformerEncoder(
        layer, NUM_ENCODER_LAYERS, nn.LayerNorm(width), enable_nested_tensor=False
    )
    return nn.Transformer(
        width,
        num_heads,
        num_decoder_layers=NUM_DECODER_LAYERS,
        dim_feedforward=3 * width,
        dropout=dropout,
        custom_encoder=encoder,
        batch_first=True,
    )


def grade_embeddings(
    in_proj: nn.Sequential, transformer: nn.Transformer, queries: Tensor, steps: Tensor, mask: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the embeddings `(batch, grade, width)` of steps `(batch, time, dim)`, and their attention.

    The attention `(batch, grade, time)` is that of the last decoder layer. `mask` `(batch, time)` is false
    for padding, which takes no part. A video without any step is embedded as one of zeros.
    """
    rows = _projected(in_proj, steps, mask) * mask[:, :, None]
    visible = mask | ~mask.any(dim=1, keepdim=True)
    memory = transformer.encoder(rows, src_key_padding_mask=~visible)
    embeddings = queries.expand(len(steps), -1, -1)
    decoder = transformer.decoder
    for layer in decoder.layers:
        assert isinstance(layer, nn.TransformerDecoderLayer)
        embeddings, weights = _decoded(layer, embeddings, memory, ~visible)
    return decoder.norm(embeddings), weights * mask[:, None, :]


def _projected(in_proj: nn.Sequential, steps: Tensor, mask: Tensor) -> Tensor:
    """Return the steps `(batch, time, width)`; batch normalization looks at real ones alone."""
    rows = steps.mT  # (batch, time, dim) -> (batch, dim, time)
    for layer in in_proj:
        rows = masked_batch_norm(layer, rows.mT, mask).mT if isinstance(layer, _BatchNorm) else layer(rows)
    return rows.mT


def _decoded(
    layer: nn.TransformerDecoderLayer, queries: Tensor, memory: Tensor, padding: Tensor
) -> tuple[Tensor, Tensor]:
    """Return what torch's decoder layer makes of the queries, and its attention to the memory."""
    own, _ = layer.self_attn(queries, queries, queries, need_weights=False)
    queries = layer.norm1(queries + layer.dropout1(own))
    seen, weights = layer.multihead_attn(queries, memory, memory, key_padding_mask=padding)
    queries = layer.norm2(queries + layer.dropout2(seen))
    inner = layer.linear2(layer.dropout(layer.activation(layer.linear1(queries))))
    return layer.norm3(queries + layer.dropout3(inner)), weights


def likert_score(outputs: Tensor, grades: Tensor) -> tuple[Tensor, Tensor]:
    """Return scores `(batch)` and the share `(batch, grade)` of each grade in them.

    `outputs` `(batch, grade, output)` are those of the regressor. Output i of grade i says how much of the
    grade is there; `grades` `(grade)` are their values. The score is a mean of the values.
    """
    responses = outputs.diagonal(dim1=1, dim2=2).sigmoid()
    shares = responses / responses.sum(dim=1, keepdim=True)
    return shares @ grades.to(shares.dtype), shares


def attention_of(shares: Tensor, weights: Tensor) -> Tensor:
    """Return the weight of each step `(batch, time)`: the attention of each grade, by the grade's share."""
    return torch.einsum("bg,bgt->bt", shares, weights)
