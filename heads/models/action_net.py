"""ACTION-NET: a dynamic and a static stream, each pooled by context-aware attention, make one score.

Paper: Zeng et al., "Hybrid Dynamic-static Context-aware Attention Network for Action Assessment in Long
Videos", ACM MM 2020, sections 3.1-3.3 and 5.2. Original code: github.com/qinghuannn/ACTION-NET. Own text.

What the text says and what the authors' code does are different networks; both are here:

| | `paper` | `released` |
|---|---|---|
| adjacency | exp(-||f_i - f_j|| / K), K = 1, of embedded features (eq. 1) | exp(-|i - j|) of positions |
| self loops | A + I (eq. 2) | A as it is |
| graph layers | relu(A^ H W) (eq. 3) | with a bias |
| padding | takes no part in graph or softmax | zero rows are instances like any other |

Both initialise every linear layer as the code does (Xavier-uniform, zero bias): the text does not say.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from aqa_pipeline.errors import WeightsError
from heads.models.attention_pooling import find_aggregation
from heads.models.output import HeadOutput
from heads.models.variants import find_variant

REGRESSOR_DIM = 128
DROPOUT = 0.5


class ActionNet(nn.Module):
    """Scores from any number of streams, each with its own context-aware attention (eq. 6).

    `dims` gives the feature size per stream; the paper's are 1024 (I3D segments) and 2048 (ResNet crops).
    `aggregation` puts another way of pooling in the attention's place (Table 3, attention_pooling.py).
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
            nn.Sigmoid(),
        )
        self.apply(_initialise)

    def forward(self, features: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> HeadOutput:
        pooled, attention = [], {}
        for name, stream in self.streams.items():
            feature, attention[name] = stream(features[name], masks[name])
            pooled.append(feature)
        video = torch.cat(pooled, dim=-1)
        # In bfloat16 a sigmoid knows some hundred scores only, and training loses the ranks between them.
        with torch.autocast(video.device.type, enabled=False):
            scores = self.regressor(video.to(next(self.regressor.parameters()).dtype)).squeeze(-1)
        return HeadOutput(scores, attention)


def _initialise(module: nn.Module) -> None:
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
# Constants of the released network that travel in its state; here they are computed.
OFFICIAL_CONSTANTS = ("adj1", "adj2")


def official_key_map() -> dict[str, str]:
    """Names of the released state dict -> names in `ActionNet(..., variant="released")`."""
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
    """The released checkpoint's state under our names; raises `WeightsError` if it is not such a state."""
    names = official_key_map()
    given = {name for name in state if name not in OFFICIAL_CONSTANTS}
    if given != set(names):
        missing, extra = sorted(set(names) - given), sorted(given - set(names))
        raise WeightsError(
            f"not the state of a released ACTION-NET: missing {missing}, unexpected {extra}. "
            "Expected the state dict of its class ACTION_NET, without a wrapper such as 'module.'."
        )
    return {ours: state[theirs] for theirs, ours in names.items()}
