"""Heads of other papers of the field, one entry each."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from heads.recipes.adapted import ADAPTED
from heads.recipes.field import core_recipe, dae_recipe, uil_aqa_recipe
from heads.registry.one_stream import one_stream

if TYPE_CHECKING:
    from torch import nn

THREE = ("paper", "released", ADAPTED)


def _build_dae(dims: Mapping[str, int], variant: str) -> "nn.Module":
    from heads.models.mean_vector.dae import DistributionHead

    return DistributionHead(dims)


def _build_core(dims: Mapping[str, int], variant: str) -> "nn.Module":
    from heads.models.mean_vector.core import ContrastiveHead

    return ContrastiveHead(dims, variant=variant)


def _build_uil_aqa(dims: Mapping[str, int], variant: str, **network: Any) -> "nn.Module":
    from heads.models.queries.uil_aqa import QueryHead

    return QueryHead(dims, variant=variant, **network)


FIELD = (
    one_stream(
        "core",
        "clips",
        _build_core,
        core_recipe,
        "Yu et al., ICCV 2021, CoRe",
        variants=THREE,
        adapted_loss="leaves-in-batch",
    ),
    one_stream(
        "uil-aqa",
        "segments",
        _build_uil_aqa,
        uil_aqa_recipe,
        "Dong et al., IJCV 2026, UIL-AQA",
        variants=THREE,
    ),
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
