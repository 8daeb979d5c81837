"""UIL-AQA: learned queries read a video, and each gives a score and the weight that it counts with.

Paper: Dong et al., "UIL-AQA: Uncertainty-Aware Clip-Level Interpretable Action Quality Assessment", IJCV
2026. Sizes and names of weights are those of the authors' code, which is under MIT:
github.com/dx199771/Interpretability-AQA. No code is copied.

The variants `released` and `paper` have as many queries as the recipe's window has steps, and as many
dimensions as the features: 22 million weights for features of 1024. The variant `adapted` projects features
to 128 dimensions and has 16 queries.

Differences from the authors' code:
* The queries are learned. The code draws them anew at every pass, in testing too, unless `query_var` is 1.
* Testing sees the whole video, or with `released` its middle. The code crops at random.
* `paper` does not attend to padding. `released` takes padding for steps, as the code does.
* The noise of the code's option `dino_loss` is left out.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from heads.models.output import HeadOutput, Queries
from heads.models.queries.query_decoder import QueryDecoder, sinusoids

NUM_QUERIES = 68  # of Rhythmic Gymnastics
NUM_LAYERS = 2
FEED_FORWARD = 1024
DROPOUT = 0.7
HIDDEN = (512, 256)

ADAPTED_DIM = 128
ADAPTED_QUERIES = 16
ADAPTED_HIDDEN = (64, 32)


class QueryHead(nn.Module):
    """Score one stream by queries; the score is the weighted sum of the queries' scores.

    The variant `adapted` has a number of queries of its own.
    """

    def __init__(
        self, dims: Mapping[str, int], *, variant: str = "paper", num_queries: int = NUM_QUERIES
    ) -> None:
        super().__init__()
        ((self.stream, feature_dim),) = dims.items()
        self.is_adapted, self.is_released = variant == "adapted", variant == "released"
        dim = ADAPTED_DIM if self.is_adapted else feature_dim
        self.project = nn.Linear(feature_dim, dim) if self.is_adapted else nn.Identity()
        self.decoder = QueryDecoder(
            dim,
            num_layers=NUM_LAYERS,
            feed_forward=dim if self.is_adapted else FEED_FORWARD,
            dropout=DROPOUT,
            attention_dropout=0.0 if self.is_adapted else DROPOUT,
            residual="official" if self.is_released else "paper",
        )
        self.query_embed = nn.Embedding(ADAPTED_QUERIES if self.is_adapted else num_queries, dim)
        self.regressor = QueryRegressor(dim, ADAPTED_HIDDEN if self.is_adapted else HIDDEN)

    def forward(self, features: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> HeadOutput:
        """Return scores `(batch)`, the weights of steps, what queries say, and the divergence as penalty."""
        mask = masks[self.stream]
        real = mask[:, :, None]
        steps = self.project(features[self.stream] * real)
        learned = self.query_embed.weight
        positions = learned + sinusoids(*learned.shape, device=learned.device)
        readable = mask | ~mask.any(dim=1, keepdim=True)
        decoded = self.decoder(
            learned.expand(len(steps), -1, -1), positions, steps, None if self.is_released else ~readable
        )
        values, weights = self.regressor(decoded.queries)
        scores = (values * weights).sum(dim=1)
        attention = (weights[:, None] @ decoded.attention).squeeze(1)
        if not self.is_released:
            attention = attention * mask
        # The code sums divergences over the batch, and averages squared errors.
        penalty = decoded.divergence * (len(steps) if self.is_released else 1)
        queries = Queries(values, weights, decoded.attention)
        return HeadOutput(scores, {self.stream: attention}, penalty, queries=queries)


class QueryRegressor(nn.Module):
    """The score and the weight of each query, by two networks of two hidden layers."""

    def __init__(self, dim: int, hidden: tuple[int, int]) -> None:
        super().__init__()
        for name in ("mean", "weight"):
            sizes = (dim, *hidden, 1)
            for number in range(1, 4):
                self.add_module(f"layer{number}_{name}", nn.Linear(sizes[number - 1], sizes[number]))

    def forward(self, queries: Tensor) -> tuple[Tensor, Tensor]:
        """Return scores and weights `(batch, query)`; the weights of a video sum to 1."""
        return self._each(queries, "mean"), self._each(queries, "weight").softmax(dim=1)

    def _each(self, queries: Tensor, name: str) -> Tensor:
        first, second, last = (self.get_submodule(f"layer{number}_{name}") for number in range(1, 4))
        hidden = torch.relu(second(torch.relu(first(queries))))
        outputs: Tensor = last(hidden).squeeze(-1)
        return outputs


def from_official(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the state of TQN and Evaluator_weighted under our names, without the constant position code."""
    return {
        f"regressor.{name}" if name.startswith("layer") else name: tensor
        for name, tensor in state.items()
        if name != "pos_encoder.pe"
    }
