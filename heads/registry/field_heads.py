"""Heads of other papers of the field, one entry each."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from heads.recipes.adapted import ADAPTED
from heads.recipes.field import dae_recipe
from heads.registry.one_stream import one_stream

if TYPE_CHECKING:
    from torch import nn

THREE = ("paper", "released", ADAPTED)


def _build_dae(dims: Mapping[str, int], variant: str) -> "nn.Module":
    from heads.models.mean_vector.dae import DistributionHead

    return DistributionHead(dims)


FIELD = (
    one_stream(
        "dae",
        "clips",
        _build_dae,
        dae_recipe,
        "Zhang et al., Neural Comput. Appl. 2024, DAE",
        variants=THREE,
        adapted_loss="likelihood",
    ),
)
