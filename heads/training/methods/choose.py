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

VALIDATE_EVERY = 3  # epochs; scoring the held-out videos takes half as long as training an epoch
SMOOTHED = 3  # validated epochs: a single one may be good by chance


@dataclass(frozen=True, eq=False)
class Trial:
    """A regularization, tried by inner cross-validation.

    `out_of_fold` `(epoch, video)` are normalized predictions for the training set after each of the validated
    `epochs`, and `agreement` `(epoch)` is the recipe's metric of them, smoothed over epochs. Only the first
    `num_folds` inner folds count: fewer than there are if the trial was given up.
    """

    regularization: Regularization
    epochs: tuple[int, ...]
    out_of_fold: NDArray[np.float64]
    agreement: NDArray[np.float64]
    num_folds: int

    @property
    def best_epoch(self) -> int:
        """The validated epoch with the best metric, counted from 1."""
        return self.epochs[int(self.agreement.argmax())]

    @property
    def best_out_of_fold(self) -> NDArray[np.float64]:
        """The predictions `(video)` after that epoch."""
        best: NDArray[np.float64] = self.out_of_fold[int(self.agreement.argmax())]
        return best

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

    A candidate that is more than 0.01 below the stronger one on the first inner folds is given up after them.
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
    whole = [trial for trial in trials if trial.num_folds == len(folds)]
    best = max(trial.best for trial in whole)
    chosen = next(trial for trial in whole if trial.best >= best - RANK_TOLERANCE)
    recipe = replace(regularized(training.recipe, chosen.regularization), epochs=chosen.best_epoch)
    if adaptation.ridge_share is None:
        return Choice(trials, recipe, chosen.best_out_of_fold)
    share, together = weigh_ridge(training, chosen.best_out_of_fold, folds)
    return Choice(trials, recipe.with_ridge_share(share), together)


def _trials(
    training: Training,
    candidates: Sequence[Regularization],
    folds: Sequence[NDArray[np.int64]],
    report: Callable[[], None] | None,
) -> Iterator[Trial]:
    """Yield trials from the strongest candidate on; a lighter one that gains nothing is the last."""
    stronger = None
    for candidate in candidates:
        trial = _try(training, candidate, folds, report, stronger=stronger)
        yield trial
        if stronger is not None and _gains_nothing(trial, stronger):
            return
        stronger = trial


def _gains_nothing(trial: Trial, stronger: Trial) -> bool:
    """Return True if a trial was given up, or its metric is at most 0.01 above that of the stronger one."""
    return trial.num_folds < stronger.num_folds or trial.best <= stronger.best + RANK_TOLERANCE


def _try(
    training: Training,
    regularization: Regularization,
    folds: Sequence[NDArray[np.int64]],
    report: Callable[[], None] | None,
    *,
    stronger: Trial | None,
) -> Trial:
    """Train on each inner fold in turn; give up after one that leaves the metric below the stronger one's."""
    training = replace(training, recipe=regularized(training.recipe, regularization))
    epochs = validated_epochs(training.recipe.epochs)
    out_of_fold = np.zeros((len(epochs), len(training.fold.train)))
    agreement, num_folds = np.zeros(len(epochs)), 0
    for num_folds, held_out in enumerate(folds, start=1):

        def keep(epoch: int, scores: NDArray[np.float64], held_out: NDArray[np.int64] = held_out) -> None:
            out_of_fold[epochs.index(epoch), held_out] = scores

        if report is not None:
            report()
        train(without(training, held_out), on_validation=keep, validate_every=VALIDATE_EVERY)
        seen = np.sort(np.concatenate(folds[:num_folds]))
        agreement = _agreement(training, out_of_fold, seen)
        if stronger is not None:
            of_stronger = _agreement(training, stronger.out_of_fold, seen)
            if agreement.max() < of_stronger.max() - RANK_TOLERANCE:
                break
    return Trial(regularization, epochs, out_of_fold, agreement, num_folds)


def validated_epochs(num_epochs: int) -> tuple[int, ...]:
    """Return the epochs after which inner folds score their held-out videos: every third, and the last."""
    return tuple(
        each for each in range(1, num_epochs + 1) if each % VALIDATE_EVERY == 0 or each == num_epochs
    )


def _agreement(
    training: Training, out_of_fold: NDArray[np.float64], seen: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the smoothed metric `(epoch)` of predictions `(epoch, video)` for the videos `seen` so far."""
    videos = training.fold.train[seen]
    values = np.array([training.agreement(scores[seen], videos) for scores in out_of_fold])
    return _smoothed(np.nan_to_num(values))


def regularized(recipe: Recipe, regularization: Regularization) -> Recipe:
    """Return the recipe with this regularization as its only candidate."""
    assert recipe.adaptation is not None, "only adapted recipes are regularized"
    adaptation = replace(recipe.adaptation, candidates=(regularization,))
    return replace(recipe.with_optimization(weight_decay=regularization.weight_decay), adaptation=adaptation)


def _smoothed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over up to three neighbors."""
    width = min(SMOOTHED, len(values))
    kernel = np.ones(width)
    return np.convolve(values, kernel, "same") / np.convolve(np.ones(len(values)), kernel, "same")
