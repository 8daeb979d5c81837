"""The variant `adapted`: the recipe of every head for data that no paper trained on.

Papers tune their numbers to one dataset of hundreds of videos and one network's features. With fifty videos
of another kind those numbers do worse than ridge regression (docs/head-stack.md). Here targets and features
have mean 0 and variance 1. Inner cross-validation on the training set chooses regularization, epochs, and the
weight of ridge regression beside the network (heads/models/closed_form/beside_ridge.py).
"""

from collections.abc import Callable
from dataclasses import replace

from heads.recipes.recipe import (
    Adaptation,
    Optimization,
    Recipe,
    Regularization,
    StreamSteps,
    Windows,
    closed_form,
    whole_videos,
)

ADAPTED = "adapted"
MOST_EPOCHS = 50
MOST_EPOCHS_ON_MAPS = 60  # a pretrained network learns slowly
BATCH_SIZE = 16
RIDGE_SHARE = 0.5  # before inner cross-validation weighs network and ridge regression

# From the strongest to the lightest.
CANDIDATES = (
    Regularization(weight_decay=0.1, dropout=0.5, input_dropout=0.3),
    Regularization(weight_decay=0.03, dropout=0.3, input_dropout=0.1),
    Regularization(weight_decay=0.003, dropout=0.1, input_dropout=0.0),
)
OPTIMIZATION = Optimization("adamw", lr=3e-3, head_lr=3e-3, cosine_epochs=MOST_EPOCHS, max_gradient_norm=1.0)

ChooseRecipe = Callable[[str, str, str, StreamSteps], Recipe]


def with_adapted(choose_recipe: ChooseRecipe, *, loss: str = "mse") -> ChooseRecipe:
    """Return a choice of recipes that knows the variant `adapted` too, for heads on features.

    `loss` is the loss of that variant.
    """

    def choose(dataset: str, split: str, variant: str, steps: StreamSteps) -> Recipe:
        if variant != ADAPTED:
            return choose_recipe(dataset, split, variant, steps)
        return Recipe(
            epochs=MOST_EPOCHS,
            batch_size=BATCH_SIZE,
            num_steps=whole_videos(steps),
            optimization=OPTIMIZATION,
            windows="sampled",
            loss=loss,
            unit="standard",
            adaptation=Adaptation(CANDIDATES, ridge_share=RIDGE_SHARE),
        )

    return choose


def with_adapted_maps(choose_recipe: ChooseRecipe) -> ChooseRecipe:
    """Return the same for heads on maps, which go on with a pretrained network.

    That network reads maps in their own units, so they are not standardized, and it learns slowly.
    """

    def choose(dataset: str, split: str, variant: str, steps: StreamSteps) -> Recipe:
        paper = choose_recipe(dataset, split, variant, steps)
        if variant != ADAPTED:
            return paper
        windows: Windows = "paper"
        optimization = replace(
            paper.optimization, optimizer="adamw", cosine_epochs=MOST_EPOCHS_ON_MAPS, max_gradient_norm=1.0
        )
        return replace(
            paper,
            epochs=MOST_EPOCHS_ON_MAPS,
            optimization=optimization,
            windows=windows,
            frozen=("second_stage",),
            adaptation=Adaptation(CANDIDATES[:2], standardize=False),
        )

    return choose


def experts_recipe(dataset: str, split: str, variant: str, steps: StreamSteps) -> Recipe:
    """Return the recipe of the heads that are fitted at once on whole videos, in standard units."""
    return closed_form(whole_videos(steps), unit="standard")


def stack_recipe(dataset: str, split: str, variant: str, steps: StreamSteps) -> Recipe:
    """Return the recipe of the network inside the stack; its regularization is not searched.

    The stack itself reads features in their own units.
    """
    recipe = with_adapted(experts_recipe)(dataset, split, ADAPTED, steps)
    return replace(
        recipe.with_optimization(weight_decay=CANDIDATES[1].weight_decay),
        adaptation=Adaptation(CANDIDATES[1:2], num_folds=5, standardize=False),
    )
