"""Fitting ridge regression beside a network, and weighing the two by inner cross-validation."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from heads.data.batches import evaluation_batch
from heads.models.closed_form.beside_ridge import BesideRidge, mixed, share_of_ridge
from heads.models.closed_form.numpy_state import numpy_state_kept
from heads.training.methods.closed_form import NUM_FOLDS, folds_of
from heads.training.methods.loop import train
from heads.training.methods.predictions import score_videos
from heads.training.methods.prepared_network import prepare_module
from heads.training.methods.training import OnEpoch, Trained, Training

Floats = NDArray[np.float64]
Folds = Sequence[NDArray[np.int64]]


def weigh_ridge(training: Training, of_network: Floats, folds: Folds) -> tuple[float, Floats]:
    """Return the weight of ridge regression, and the out-of-fold predictions `(video)` of both together.

    `of_network` are the network's predictions for these inner folds.
    """
    of_ridge = _fit_ridge(_unfitted(training), training, folds)
    share = share_of_ridge(of_network, of_ridge, training.labels[training.fold.train])
    return share, mixed(of_network, of_ridge, share)


def fit_beside_ridge(training: Training, on_epoch: OnEpoch | None = None) -> Trained:
    """Train the network by gradient, and fit ridge regression beside it; epochs are the network's alone."""
    trained = train(replace(training, recipe=training.recipe.with_ridge_share(None)), on_epoch)
    module = _unfitted(training)
    module.network.load_state_dict(dict(trained.state))
    _fit_ridge(module, training, folds_of(training, num_folds=NUM_FOLDS))
    module.eval()
    everyone = np.arange(len(training.samples.video_ids))
    scores = score_videos(module, training.samples, everyone, recipe=training.recipe)
    return replace(trained, state=dict(module.state_dict()), scores=scores)


def _unfitted(training: Training) -> BesideRidge:
    with torch.random.fork_rng(devices=[]):  # the start of a network draws numbers
        module = prepare_module(training.build, training.samples.dims, training.recipe)
    assert isinstance(module, BesideRidge), "the recipe has ridge regression"
    return module


def _fit_ridge(module: BesideRidge, training: Training, folds: Folds) -> Floats:
    train = training.fold.train
    batch = evaluation_batch(training.samples, train, recipe=training.recipe)
    with numpy_state_kept():
        return module.fit_ridge(batch.features, batch.masks, training.labels[train], folds=folds)
