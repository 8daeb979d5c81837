"""Fitting a head that is solved at once, without gradients: there is one "epoch"."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from heads.data.batches import evaluation_batch
from heads.data.folds import derived_seed
from heads.models.closed_form.numpy_state import numpy_state_kept
from heads.models.closed_form.regressors import ClosedFormHead, inner_folds
from heads.runs.epoch import Epoch
from heads.training.methods.predictions import score_videos
from heads.training.methods.training import OnEpoch, Trained, Training

NUM_FOLDS = 5


def fit_closed_form(training: Training, on_epoch: OnEpoch | None = None) -> Trained:
    """Fit as `train` does, in closed form and on the CPU; there is no epoch to select."""
    samples, fold, labels = training.samples, training.fold, training.labels
    module = training.build(samples.dims)
    assert isinstance(module, ClosedFormHead)
    batch = evaluation_batch(samples, fold.train, recipe=training.recipe)
    folds = folds_of(training, num_folds=NUM_FOLDS)
    with numpy_state_kept():
        out_of_fold = module.fit_videos(
            batch.features, batch.masks, labels[fold.train], folds=folds, seed=training.seed
        )
    scores = score_videos(module, samples, np.arange(len(samples.video_ids)), recipe=training.recipe)
    loss = float(np.mean((scores[fold.train] - labels[fold.train]) ** 2))
    epoch = Epoch(
        1,
        loss,
        0.0,
        0.0,
        training.agreement(scores[fold.validation], fold.validation),
        training.agreement(scores[fold.test], fold.test),
        training.recipe.metric,
    )
    if on_epoch is not None:
        on_epoch(epoch)
    return Trained(dict(module.state_dict()), 1, (epoch,), scores, out_of_fold)


def folds_of(training: Training, *, num_folds: int) -> list[NDArray[np.int64]]:
    """Return the inner folds of the training set, as places in `fold.train`; whole groups stay together.

    Groups count if every training video has one.
    """
    groups = [training.groups[video] for video in training.fold.train.tolist()] if training.groups else []
    named = [group for group in groups if group is not None]
    return inner_folds(
        len(training.fold.train),
        num_folds=num_folds,
        seed=derived_seed(training.seed, "inner folds"),
        groups=named if named and len(named) == len(groups) else None,
    )


def without(training: Training, held_out: NDArray[np.int64]) -> Training:
    """Return the training on one inner fold: its videos are the validation set, and nothing is tested."""
    train = training.fold.train
    fold = replace(
        training.fold,
        train=np.delete(train, held_out),
        validation=train[held_out],
        test=np.empty(0, dtype=np.int64),
    )
    return replace(training, fold=fold, select="last", snapshot=None)
