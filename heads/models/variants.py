"""The switches between ACTION-NET's text and its released code."""

from dataclasses import dataclass

from aqa_pipeline.errors import UnknownName
from heads.models.temporal_graph import Adjacency, feature_adjacency, temporal_adjacency


@dataclass(frozen=True)
class Variant:
    """How instances are related, whether graph layers have a bias, and whether padding is masked out."""

    adjacency: Adjacency
    graph_bias: bool
    masked: bool


VARIANTS: dict[str, Variant] = {
    "paper": Variant(adjacency=feature_adjacency, graph_bias=False, masked=True),
    "released": Variant(adjacency=temporal_adjacency, graph_bias=True, masked=False),
}


def find_variant(name: str) -> Variant:
    """The variant of that name; raises `UnknownName`."""
    if name not in VARIANTS:
        raise UnknownName("variant of action-net", name, VARIANTS)
    return VARIANTS[name]
