"""The heads that score by grades: GDLT and CoFInAl."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from heads.recipes.adapted import ADAPTED
from heads.recipes.likert import cofinal_recipe, gdlt_recipe
from heads.registry.one_stream import one_stream

if TYPE_CHECKING:
    from torch import nn

VARIANTS = ("paper", "released", ADAPTED)


def _build_gdlt(dims: Mapping[str, int], variant: str) -> "nn.Module":
    from heads.models.likert.gdlt import Gdlt

    return Gdlt(dims, variant=variant)


def _build_cofinal(dims: Mapping[str, int], variant: str, **options: Any) -> "nn.Module":
    from heads.models.likert.cofinal import CoFInAl
    from heads.models.likert.trunk import ADAPTED_WIDTH

    # Even grades reach every score of a range; those of the authors are tuned to theirs.
    default: dict[str, Any] = {"grades": "even", "width": ADAPTED_WIDTH} if variant == ADAPTED else {}
    return CoFInAl(dims, variant=variant, **(default | options))


LIKERT = (
    one_stream("gdlt", "segments", _build_gdlt, gdlt_recipe, "Xu et al., CVPR 2022", variants=VARIANTS),
    one_stream(
        "cofinal",
        "segments",
        _build_cofinal,
        cofinal_recipe,
        "Zhou et al., IJCAI 2024",
        variants=VARIANTS,
        adapted_loss="coarse-to-fine",
    ),
)
