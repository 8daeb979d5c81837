"""Heads that read a single stream of features, whichever."""

from heads.recipes.adapted import ADAPTED, with_adapted
from heads.registry.head_kind import Build, ChooseRecipe, HeadKind


def one_stream(
    name: str,
    stream: str,
    build: Build,
    choose_recipe: ChooseRecipe,
    source: str,
    *,
    variants: tuple[str, ...] = ("paper", ADAPTED),
    scores_steps: bool = False,
    adapted_loss: str = "mse",
) -> HeadKind:
    """Return a head on a single stream of features; `adapted_loss` is the loss of its variant `adapted`."""
    return HeadKind(
        name,
        (stream,),
        variants,
        build,
        with_adapted(choose_recipe, loss=adapted_loss),
        source,
        one_stream=True,
        scores_steps=scores_steps,
    )
