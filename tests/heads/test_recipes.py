"""The recipes by the numbers of section 5.2, and of the released code."""

import dataclasses

import pytest

from heads.recipes import Recipe
from heads.recipes.papers import SECTION_5_2, action_net_recipe

STEPS = {"segments": [28, 29], "crops": [84, 90]}


def epochs_at(recipe: Recipe, factor: float) -> list[int]:
    return [e for e in range(1, recipe.epochs + 1) if recipe.optimization.decay(e) == pytest.approx(factor)]


@pytest.mark.parametrize(("split", "epochs"), [("ball", 400), ("clubs", 300), ("hoop", 500), ("ribbon", 300)])
def test_rhythmic_gymnastics_as_in_the_paper(split: str, epochs: int) -> None:
    recipe = action_net_recipe("rhythmic-gymnastics", split, "paper", STEPS)
    assert (recipe.epochs, recipe.batch_size) == (epochs, 32)
    assert (recipe.optimization.lr, recipe.optimization.head_lr) == (0.01, 0.05)
    assert (recipe.optimization.momentum, recipe.optimization.weight_decay) == (0.9, 1e-4)
    assert recipe.loss == "mse"
    assert dict(recipe.num_steps) == {"segments": 26, "crops": 80}
    # "stepwise decay in the last 100 and last 50 epochs with a decay rate of 0.1"
    assert epochs_at(recipe, 0.1) == list(range(epochs - 99, epochs - 49))
    assert epochs_at(recipe, 0.01) == list(range(epochs - 49, epochs + 1))
    assert not recipe.num_components


def test_the_released_schedule_decays_one_epoch_early() -> None:
    recipe = action_net_recipe("rhythmic-gymnastics", "Ball", "released", STEPS)
    assert epochs_at(recipe, 0.1) == list(range(300, 350))
    assert epochs_at(recipe, 0.01) == list(range(350, 401))
    assert len(epochs_at(recipe, 0.01)) == 51
    assert recipe.windows == "released"


def test_mit_skating_as_in_the_paper() -> None:
    recipe = action_net_recipe("mit-skating", "random-3", "paper", STEPS)
    assert (recipe.epochs, recipe.batch_size) == (200, 16)
    assert dict(recipe.num_steps) == {"segments": 48, "crops": 150}
    assert epochs_at(recipe, 0.1) == list(range(151, 181))
    assert epochs_at(recipe, 0.01) == list(range(181, 201))


def test_other_datasets_get_windows_of_nine_tenths_of_the_median_video() -> None:
    recipe = action_net_recipe("folder", "all", "paper", {"segments": [10, 20, 90], "crops": [0, 0, 7]})
    assert dict(recipe.num_steps) == {"segments": 18, "crops": 1}
    assert recipe.epochs == SECTION_5_2.epochs


def test_fewer_epochs_move_the_milestones_along() -> None:
    recipe = SECTION_5_2.with_epochs(20)
    assert (recipe.epochs, recipe.optimization.milestones) == (20, (15, 18))


@pytest.mark.parametrize("change", [{"epochs": 0}, {"batch_size": 0}, {"num_steps": {"segments": 0}}])
def test_impossible_recipes_are_refused(change: dict) -> None:
    with pytest.raises(ValueError, match="at least 1 epoch, video per batch and step per window"):
        dataclasses.replace(SECTION_5_2, **change)
