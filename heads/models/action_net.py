"""ACTION-NET: one score from a dynamic and a static stream, each pooled by context-aware attention.

Paper: Zeng et al., "Hybrid Dynamic-static Context-aware Attention Network for Action Assessment in Long
Videos", ACM MM 2020, sections 3.1-3.3 and 5.2. Original code: github.com/qinghuannn/ACTION-NET. This file is
written from the paper and copies no code.

The paper's text and the authors' released code describe different networks. Both are here:

| | `paper` | `released` |
|---|---|---|
| adjacency | exp(-||f_i - f_j|| / K), K = 1, of embedded features (eq. 1) | exp(-|i - j|) of positions |
| self loops | A + I (eq. 2) | A as it is |
| graph layers | relu(A^ H W) (eq. 3) | with a bias |
| padding | takes no part in graph or softmax | zero rows count as instances |

Both variants initialize every linear layer as the released code does (Xavier-uniform, zero bias), because the
paper does not say how.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from aqa_pipeline.errors import WeightsError
from heads.models.attention_pooling import find_aggregation
from heads.models.output import HeadOutput
from heads.models.temporal_graph import find_variant

REGRESSOR_DIM = 128
DROPOUT = 0.5


class ActionNet(nn.Module):
    """Score a video from any number of streams, each with its own context-aware attention (eq. 6).

    `dims` gives the feature size of each stream; the paper has 1024 (I3D segments) and 2048 (ResNet crops).
    `aggregation` names the pooling that replaces the attention (Table 3, see attention_pooling.py).
    Raises `UnknownName` for an unknown variant or aggregation.
    """

    def __init__(self, dims: Mapping[str, int], *, variant: str = "paper", aggregation: str = "caa") -> None:
        super().__init__()
        chosen, pooling = find_variant(variant), find_aggregation(aggregation)
        self.streams = nn.ModuleDict({name: pooling.build(dim, variant=chosen) for name, dim in dims.items()})
        self.regressor = nn.Sequential(
            nn.Linear(pooling.out_dim * len(dims), REGRESSOR_DIM),
            nn.ReLU(),
            nn.Dropout(DROPOUT),
            nn.Linear(REGRESSOR_DIM, 1),
            *([nn.Sigmoid()] if chosen.sigmoid else []),
        )
        self.apply(_initialize)

    def forward(self, features: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> HeadOutput:
        """Return scores `(batch)` of features `(batch, time, dim)` and masks `(batch, time)`.

        They are in [0, 1] behind a sigmoid.
        """
        pooled, attention = [], {}
        for name, stream in self.streams.items():
            feature, attention[name] = stream(features[name], masks[name])
            pooled.append(feature)
        video = torch.cat(pooled, dim=-1)
        # A bfloat16 sigmoid has only some hundred different values, too few to rank videos by.
        with torch.autocast(video.device.type, enabled=False):
            scores = self.regressor(video.to(next(self.regressor.parameters()).dtype)).squeeze(-1)
        return HeadOutput(scores, attention)


def _initialize(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


OFFICIAL_STREAMS = {"d_ct": "segments", "s_ct": "crops"}
OFFICIAL_PARTS = {
    "embedding.0": "embedding.0",
    "embedding.2": "embedding.2",
    "gcn1": "graph.layers.0",
    "gcn2": "graph.layers.1",
    "att.0": "attention.score.0",
    "att.2": "attention.score.2",
}
# The released state dict holds these constants; here they are computed.
OFFICIAL_CONSTANTS = ("adj1", "adj2")


def official_key_map() -> dict[str, str]:
    """Return the names in `ActionNet(..., variant="released")` by the names in the released state dict."""
    modules = {
        f"{theirs}.{part}": f"streams.{ours}.{own_part}"
        for theirs, ours in OFFICIAL_STREAMS.items()
        for part, own_part in OFFICIAL_PARTS.items()
    }
    modules |= {"fc.0": "regressor.0", "fc.3": "regressor.3"}
    return {
        f"{theirs}.{kind}": f"{ours}.{kind}"
        for theirs, ours in modules.items()
        for kind in ("weight", "bias")
    }


def from_official(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the released state dict under our names.

    Raises `WeightsError` if the names are not those of a released ACTION-NET.
    """
    names = official_key_map()
    given = {name for name in state if name not in OFFICIAL_CONSTANTS}
    if given != set(names):
        missing, extra = sorted(set(names) - given), sorted(given - set(names))
        raise WeightsError(
            f"not the state dict of a released ACTION-NET: missing {missing}, unexpected {extra}. "
            "Expected the state dict of the class ACTION_NET, without a prefix such as 'module.'."
        )
    return {ours: state[theirs] for theirs, ours in names.items()}
