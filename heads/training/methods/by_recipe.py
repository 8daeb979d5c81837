"""The way a training goes: in closed form, as a stack, or by gradient."""

from dataclasses import replace

import torch

from heads.models.closed_form.stack import Stack
from heads.recipes import Recipe
from heads.runs.inner_choice import InnerChoice, TriedRegularization
from heads.training.methods.beside_ridge import fit_beside_ridge
from heads.training.methods.choose import Choice, regularized
from heads.training.methods.closed_form import fit_closed_form
from heads.training.methods.loop import train
from heads.training.methods.stack import fit_stack
from heads.training.methods.training import OnEpoch, OnInner, Trained, Training


def fit_training(
    training: Training, on_epoch: OnEpoch | None = None, on_inner: OnInner | None = None
) -> Trained:
    """Train one split and seed by its recipe, whose regularization has been chosen."""
    if training.recipe.is_closed_form:
        return fit_closed_form(training, on_epoch)
    if is_stack(training):
        return fit_stack(training, on_epoch, on_inner)
    if training.recipe.adaptation is not None and training.recipe.adaptation.ridge_share is not None:
        return fit_beside_ridge(training, on_epoch)
    return train(training, on_epoch)


def is_chosen_first(training: Training) -> bool:
    """Return True if inner cross-validation chooses regularization and epochs before the training."""
    return training.recipe.adaptation is not None and not is_stack(training)


def is_stack(training: Training) -> bool:
    """Return True if the head is a stack, which has inner folds of its own."""
    if training.recipe.fine_tuning is not None:
        return False
    with torch.device("meta"), torch.random.fork_rng(devices=[]):
        return isinstance(training.build(training.samples.dims), Stack)


def as_record(choice: Choice) -> InnerChoice:
    """Return what choice.json keeps of a choice."""
    adaptation, metric = choice.recipe.adaptation, choice.recipe.metric
    assert adaptation is not None, "only adapted recipes are chosen"
    (kept,) = adaptation.candidates
    tried = tuple(
        TriedRegularization(t.regularization, t.best_epoch, t.best, t.num_folds) for t in choice.trials
    )
    best = max(each.value for each in tried if each.num_folds == tried[0].num_folds)
    return InnerChoice(
        metric=metric,
        num_folds=adaptation.num_folds,
        tried=tried,
        regularization=kept,
        epochs=choice.recipe.epochs,
        ridge_share=adaptation.ridge_share,
        why=f"The strongest regularization whose {metric} is within 0.01 of the best ({best:.3f}) on "
        f"{adaptation.num_folds} inner folds of the training set, and the epoch where it is highest. "
        "A lighter one is tried only if the one before it gained more than 0.01, and given up after an inner "
        "fold if it is more than 0.01 below the one before it on the folds so far.",
    )


def chosen_recipe(recipe: Recipe, choice: InnerChoice) -> Recipe:
    """Return the recipe with the kept regularization, number of epochs and weight of ridge regression."""
    kept = replace(regularized(recipe, choice.regularization), epochs=choice.epochs)
    return kept.with_ridge_share(choice.ridge_share)
