"""Fitting the stack: experts in closed form, the network by gradient, and weights from inner folds."""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from heads.data.batches import evaluation_batch
from heads.models.closed_form.numpy_state import numpy_state_kept
from heads.models.closed_form.stack import AttentionNetwork, Stack
from heads.runs.inner_network import InnerNetwork
from heads.training.methods.closed_form import folds_of, without
from heads.training.methods.loop import train
from heads.training.methods.predictions import score_videos
from heads.training.methods.training import OnEpoch, OnInner, Trained, Training


def fit_stack(
    training: Training, on_epoch: OnEpoch | None = None, on_inner: OnInner | None = None
) -> Trained:
    """Fit every part to the training set, and weigh the parts by their predictions for inner folds."""
    samples, fold = training.samples, training.fold
    with torch.random.fork_rng(devices=[]):  # the start that is overwritten below draws numbers
        module = training.build(samples.dims)
    assert isinstance(module, Stack)
    inner = training.inner or predict_inner_folds(training, on_inner)
    labels = training.labels[fold.train]
    batch = evaluation_batch(samples, fold.train, recipe=training.recipe)
    with numpy_state_kept():
        out_of_fold = module.fit_experts(batch.features, batch.masks, labels, folds=inner.folds)
    trained = train(_network_alone(training), on_epoch)
    module.network.load_state_dict(dict(trained.state))
    combined = module.weigh([*out_of_fold, inner.predicted], labels, folds=inner.folds)
    module.eval()
    scores = score_videos(module, samples, np.arange(len(samples.video_ids)), recipe=training.recipe)
    return Trained(dict(module.state_dict()), trained.chosen_epoch, trained.epochs, scores, combined)


def predict_inner_folds(training: Training, on_inner: OnInner | None = None) -> InnerNetwork:
    """Train the network of a stack on inner folds, and return its predictions for the held-out videos."""
    adaptation = training.recipe.adaptation
    assert adaptation is not None, "the stack has an adapted recipe"
    folds = folds_of(training, num_folds=adaptation.num_folds)
    network, num_epochs = _network_alone(training), training.recipe.epochs
    predicted = np.zeros(len(training.fold.train))
    for number, held_out in enumerate(folds, start=1):

        def keep(_: int, scores: NDArray[np.float64], held_out: NDArray[np.int64] = held_out) -> None:
            predicted[held_out] = scores

        if on_inner is not None:
            on_inner(number, len(folds))
        train(without(network, held_out), on_validation=keep, validate_every=num_epochs)
    return InnerNetwork(tuple(folds), predicted)


def _network_alone(training: Training) -> Training:
    """Return the training of the network without the experts, on standardized features."""
    adaptation = training.recipe.adaptation
    assert adaptation is not None, "the stack has an adapted recipe"
    recipe = replace(training.recipe, adaptation=replace(adaptation, standardize=True))
    return replace(training, build=AttentionNetwork, recipe=recipe, select="last")
