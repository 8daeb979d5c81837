"""Choosing regularization, epochs and ridge's weight of an adapted recipe by inner cross-validation."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
from numpy.typing import NDArray

from heads.models.closed_form.kernel_regression import RANK_TOLERANCE
from heads.recipes import Recipe, Regularization
from heads.training.methods.beside_ridge import weigh_ridge
from heads.training.methods.closed_form import folds_of, without
from heads.training.methods.loop import train
from heads.training.methods.training import OnInner, Training

SMOOTHED_EPOCHS = 5  # a single epoch may be good by chance


@dataclass(frozen=True, eq=False)
class Trial:
    """A regularization, tried by inner cross-validation.

    `out_of_fold` `(epoch, video)` are normalized predictions for the training set after each epoch,
    `agreement` `(epoch)` the recipe's metric of them, smoothed over epochs.
    """

    regularization: Regularization
    out_of_fold: NDArray[np.float64]
    agreement: NDArray[np.float64]

    @property
    def best_epoch(self) -> int:
        """The epoch with the best metric, counted from 1."""
        return int(self.agreement.argmax()) + 1

    @property
    def best(self) -> float:
        """The metric after that epoch."""
        return float(self.agreement.max())


@dataclass(frozen=True, eq=False)
class Choice:
    """The trials of one split, the recipe that they led to, and its out-of-fold predictions `(video)`."""

    trials: tuple[Trial, ...]
    recipe: Recipe
    out_of_fold: NDArray[np.float64]


def choose(training: Training, on_inner: OnInner | None = None) -> Choice:
    """Try candidates until one is not better by 0.01 than the stronger one before it, which is kept.

    The kept epoch is the one with the best metric, and the learning rates still fall as if all epochs were
    trained. Ridge regression is weighed against the kept candidate, if the recipe has it. `on_inner` gets the
    number of each inner training before it begins, from 1, and their total at most.
    """
    adaptation = training.recipe.adaptation
    assert adaptation is not None, "only adapted recipes have candidates"
    folds = folds_of(training, num_folds=adaptation.num_folds)
    network = replace(training, recipe=training.recipe.with_ridge_share(None))
    total = len(adaptation.candidates) * len(folds)
    numbers = count(1)
    report = None if on_inner is None else lambda: on_inner(next(numbers), total)
    trials = tuple(_trials(network, adaptation.candidates, folds, report))
    best = max(trial.best for trial in trials)
    chosen = next(trial for trial in trials if trial.best >= best - RANK_TOLERANCE)
    recipe = replace(regularized(training.recipe, chosen.regularization), epochs=chosen.best_epoch)
    out_of_fold = chosen.out_of_fold[chosen.best_epoch - 1]
    if adaptation.ridge_share is None:
        return Choice(trials, recipe, out_of_fold)
    share, together = weigh_ridge(training, out_of_fold, folds)
    return Choice(trials, recipe.with_ridge_share(share), together)


def _trials(
    training: Training,
    candidates: Sequence[Regularization],
    folds: Sequence[NDArray[np.int64]],
    report: Callable[[], None] | None,
) -> Iterator[Trial]:
    """Yield trials from the strongest candidate on; a lighter one that gains nothing is the last."""
    best = -np.inf
    for candidate in candidates:
        trial = _try(training, candidate, folds, report)
        yield trial
        if trial.best <= best + RANK_TOLERANCE:
            return
        best = trial.best


def _try(
    training: Training,
    regularization: Regularization,
    folds: Sequence[NDArray[np.int64]],
    report: Callable[[], None] | None,
) -> Trial:
    training = replace(training, recipe=regularized(training.recipe, regularization))
    out_of_fold = np.zeros((training.recipe.epochs, len(training.fold.train)))
    for held_out in folds:

        def keep(epoch: int, scores: NDArray[np.float64], held_out: NDArray[np.int64] = held_out) -> None:
            out_of_fold[epoch - 1, held_out] = scores

        if report is not None:
            report()
        train(without(training, held_out), on_validation=keep)
    agreement = np.array([training.agreement(scores, training.fold.train) for scores in out_of_fold])
    return Trial(regularization, out_of_fold, _smoothed(np.nan_to_num(agreement)))


def regularized(recipe: Recipe, regularization: Regularization) -> Recipe:
    """Return the recipe with this regularization as its only candidate."""
    assert recipe.adaptation is not None, "only adapted recipes are regularized"
    adaptation = replace(recipe.adaptation, candidates=(regularization,))
    return replace(recipe.with_optimization(weight_decay=regularization.weight_decay), adaptation=adaptation)


def _smoothed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over up to five neighbors."""
    width = min(SMOOTHED_EPOCHS, len(values))
    kernel = np.ones(width)
    return np.convolve(values, kernel, "same") / np.convolve(np.ones(len(values)), kernel, "same")
