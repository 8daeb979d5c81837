"""Every head that can be fitted, one entry each. Importing this module imports no torch.

A head's module is called as `module(features, masks)` with one padded tensor `batch time dim` and one
boolean mask `batch time` per stream, and returns `heads.outputs.HeadOutput`: scores in [0, 1] and attention.
The part of it that learns at the recipe's `head_lr` is named `regressor`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aqa_pipeline.errors import UnknownName
from heads.recipes import Recipe, StreamSteps, action_net_recipe

if TYPE_CHECKING:
    from torch import nn

Build = Callable[[Mapping[str, int], str], "nn.Module"]
ChooseRecipe = Callable[[str, str, str, StreamSteps], Recipe]


@dataclass(frozen=True)
class Head:
    """One head: the streams it reads, its variants (the first is the default), network and recipe.

    `build(dims, variant)` returns the untrained network for features of `dims[stream]` dimensions;
    `choose_recipe(dataset, split, variant, steps)` its recipe; `steps` are the training videos' lengths.
    """

    name: str
    streams: tuple[str, ...]
    variants: tuple[str, ...]
    build: Build
    choose_recipe: ChooseRecipe

    def check_variant(self, variant: str) -> None:
        """Raises `UnknownName` for a variant that this head does not have."""
        if variant not in self.variants:
            raise UnknownName(f"variant of {self.name}", variant, self.variants)


def _build_action_net(dims: Mapping[str, int], variant: str) -> "nn.Module":
    from heads.action_net import ActionNet

    return ActionNet(dims, variant=variant)


HEADS: dict[str, Head] = {
    head.name: head
    for head in (
        Head(
            name="action-net",
            streams=("segments", "crops"),
            variants=("paper", "released"),
            build=_build_action_net,
            choose_recipe=action_net_recipe,
        ),
    )
}


def find_head(name: str) -> Head:
    """The head of that name; raises `UnknownName` with the known ones."""
    if name not in HEADS:
        raise UnknownName("head", name, HEADS)
    return HEADS[name]
