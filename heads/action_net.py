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

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from aqa_pipeline.errors import UnknownName, WeightsError
from heads.outputs import HeadOutput

EMBEDDED_DIM = 256
ATTENTION_DIM = 128
REGRESSOR_DIM = 128
DROPOUT = 0.5
KERNEL_SCALE = 1.0  # K of eq. 1
ROUNDING = 1e-13  # squared distances below this share of |a|^2 + |b|^2 are float64 rounding errors

# (instances `batch time dim`, mask `batch time`) -> adjacency `batch time time` or `time time`
Adjacency = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Variant:
    """The switches between the text and the released code."""

    adjacency: Adjacency
    graph_bias: bool
    masked: bool


def feature_adjacency(instances: Tensor, mask: Tensor) -> Tensor:
    """A + I of eq. 1 and 2 before normalisation; rows and columns of padding are zero."""
    kernel = torch.exp(-pairwise_distances(instances) / KERNEL_SCALE)
    self_loops = torch.eye(instances.shape[1], dtype=instances.dtype, device=instances.device)
    return (kernel + self_loops) * (mask[:, :, None] & mask[:, None, :])


def pairwise_distances(instances: Tensor) -> Tensor:
    """Euclidean distances `batch time time` between the instances of each video; gradient 0 where equal.

    By matrix products, four times as fast as `torch.cdist` without them, and in float64, because
    |a|^2 + |b|^2 - 2ab of close neighbours would leave nothing but rounding errors in float32.
    """
    exact = instances.double()
    products = exact @ exact.mT
    squares = products.diagonal(dim1=-2, dim2=-1)
    sums = squares[:, :, None] + squares[:, None, :]
    squared = sums - 2 * products
    apart = squared > ROUNDING * sums
    return torch.where(apart, torch.where(apart, squared, 1.0).sqrt(), 0.0).to(instances.dtype)


def temporal_adjacency(instances: Tensor, mask: Tensor) -> Tensor:
    """exp(-|i - j|) of the released code, the same for every video."""
    position = torch.arange(instances.shape[1], dtype=instances.dtype, device=instances.device)
    return torch.exp(-(position[:, None] - position[None, :]).abs())


VARIANTS: dict[str, Variant] = {
    "paper": Variant(adjacency=feature_adjacency, graph_bias=False, masked=True),
    "released": Variant(adjacency=temporal_adjacency, graph_bias=True, masked=False),
}


def normalise_adjacency(adjacency: Tensor) -> Tensor:
    """D^-1/2 A D^-1/2 with the degrees D of the rows (eq. 2); a row without any edge stays zero."""
    degree = adjacency.sum(dim=-1)
    inverse_root = torch.where(degree > 0, degree.clamp_min(torch.finfo(degree.dtype).tiny).rsqrt(), 0.0)
    return inverse_root[..., :, None] * adjacency * inverse_root[..., None, :]


class TemporalGraph(nn.Module):
    """TCG-U: two graph convolutions relu(A^ H W) over the instances of a video (eq. 3)."""

    def __init__(self, dim: int, *, bias: bool) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(dim, dim, bias=bias) for _ in range(2)])

    def forward(self, instances: Tensor, adjacency: Tensor) -> Tensor:
        for layer in self.layers:
            instances = torch.relu(layer(adjacency @ instances))
        return instances


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
    """One stream's feature: embed, relate in the graph, fuse (eq. 4), and sum by attention (eq. 5)."""

    def __init__(self, dim: int, *, variant: Variant) -> None:
        super().__init__()
        self.embedding = nn.Sequential(
            nn.Linear(dim, dim // 2), nn.ReLU(), nn.Linear(dim // 2, EMBEDDED_DIM), nn.ReLU()
        )
        self.graph = TemporalGraph(EMBEDDED_DIM, bias=variant.graph_bias)
        self.attention = AttentionUnit(2 * EMBEDDED_DIM)
        self.variant = variant

    def forward(self, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the stream's feature `batch 512` and the attention weights `batch time`."""
        if not self.variant.masked:
            mask = torch.ones_like(mask)
        instances = self.embedding(features)
        adjacency = normalise_adjacency(self.variant.adjacency(instances, mask))
        fused = torch.cat([instances, self.graph(instances, adjacency)], dim=-1)
        weights = self.attention(fused, mask)
        return (weights[:, None, :] @ fused).squeeze(1), weights


class ActionNet(nn.Module):
    """Scores from any number of streams, each with its own context-aware attention (eq. 6).

    `dims` gives the feature size per stream; the paper's are 1024 (I3D segments) and 2048 (ResNet crops).
    """

    def __init__(self, dims: Mapping[str, int], *, variant: str = "paper") -> None:
        super().__init__()
        if variant not in VARIANTS:
            raise UnknownName("variant of action-net", variant, VARIANTS)
        self.streams = nn.ModuleDict(
            {name: ContextAwareAttention(dim, variant=VARIANTS[variant]) for name, dim in dims.items()}
        )
        self.regressor = nn.Sequential(
            nn.Linear(2 * EMBEDDED_DIM * len(dims), REGRESSOR_DIM),
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
        return HeadOutput(self.regressor(torch.cat(pooled, dim=-1)).squeeze(-1), attention)


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
