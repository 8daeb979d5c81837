"""The temporal graph of ACTION-NET: its adjacency in both variants, and two graph convolutions (TCG-U).

Paper: Zeng et al., ACM MM 2020, section 3.2, eq. 1-3. Masks `(batch, time)` are false for padding.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from aqa_pipeline.errors import UnknownName

KERNEL_SCALE = 1.0  # K of eq. 1
ROUNDING = 1e-13  # squared distances below this share of |a|^2 + |b|^2 are float64 rounding errors

# (instances `(batch, time, dim)`, mask `(batch, time)`) -> adjacency `(batch, time, time)` or `(time, time)`
Adjacency = Callable[[Tensor, Tensor], Tensor]


def feature_adjacency(instances: Tensor, mask: Tensor) -> Tensor:
    """Return A + I of eq. 1 and 2 before normalization; rows and columns of padding are zero."""
    kernel = torch.exp(-pairwise_distances(instances) / KERNEL_SCALE)
    self_loops = torch.eye(instances.shape[1], dtype=instances.dtype, device=instances.device)
    return (kernel + self_loops) * (mask[:, :, None] & mask[:, None, :])


def pairwise_distances(instances: Tensor) -> Tensor:
    """Return Euclidean distances `(batch, time, time)` between the instances of each video.

    The gradient is 0 between equal instances. Matrix products are four times as fast as `torch.cdist`; they
    need float64, because in float32 |a|^2 + |b|^2 - 2ab of close neighbors is only rounding error.
    """
    exact = instances.double()
    products = exact @ exact.mT
    squares = products.diagonal(dim1=-2, dim2=-1)
    sums = squares[:, :, None] + squares[:, None, :]
    squared = sums - 2 * products
    apart = squared > ROUNDING * sums
    return torch.where(apart, torch.where(apart, squared, 1.0).sqrt(), 0.0).to(instances.dtype)


def temporal_adjacency(instances: Tensor, mask: Tensor) -> Tensor:
    """Return exp(-|i - j|) `(time, time)` of the released code, the same for every video."""
    position = torch.arange(instances.shape[1], dtype=instances.dtype, device=instances.device)
    return torch.exp(-(position[:, None] - position[None, :]).abs())


def normalize_adjacency(adjacency: Tensor) -> Tensor:
    """Return D^-1/2 A D^-1/2 with the degrees D of the rows (eq. 2); a row without any edge stays zero."""
    degree = adjacency.sum(dim=-1)
    inverse_root = torch.where(degree > 0, degree.clamp_min(torch.finfo(degree.dtype).tiny).rsqrt(), 0.0)
    return inverse_root[..., :, None] * adjacency * inverse_root[..., None, :]


class TemporalGraph(nn.Module):
    """TCG-U: two graph convolutions relu(A^ H W) over the instances of a video (eq. 3)."""

    def __init__(self, dim: int, *, bias: bool) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(dim, dim, bias=bias) for _ in range(2)])

    def forward(self, instances: Tensor, adjacency: Tensor) -> Tensor:
        """Return the related instances `(batch, time, dim)`."""
        for layer in self.layers:
            instances = torch.relu(layer(adjacency @ instances))
        return instances


def half(dim: int) -> int:
    """Return half of the feature size, the width in the papers."""
    return dim // 2


def between(dim: int) -> int:
    """Return half of the feature size, at least 128 and at most 256."""
    return min(max(128, dim // 2), 256)


@dataclass(frozen=True)
class Variant:
    """The differences between the paper's text, the released code and the variant for other features.

    `adjacency` relates the instances, `graph_bias` adds a bias to the graph layers, and `masked` leaves
    padding out of graph and attention. `hidden_dim(dim)` is the width of the embedding's first layer; the
    papers' features have 1024 and 2048 dimensions. `sigmoid` ends the regressor.
    """

    adjacency: Adjacency
    graph_bias: bool
    masked: bool
    hidden_dim: Callable[[int], int] = half
    sigmoid: bool = True


VARIANTS: dict[str, Variant] = {
    "paper": Variant(adjacency=feature_adjacency, graph_bias=False, masked=True),
    "released": Variant(adjacency=temporal_adjacency, graph_bias=True, masked=False),
    "adapted": Variant(
        adjacency=feature_adjacency, graph_bias=False, masked=True, hidden_dim=between, sigmoid=False
    ),
}


def find_variant(name: str) -> Variant:
    """Return the variant of that name; raise `UnknownName` if there is none."""
    if name not in VARIANTS:
        raise UnknownName("variant of action-net", name, VARIANTS)
    return VARIANTS[name]
