"""Fitting the stack: experts in closed form, the network by gradient, and weights from inner folds."""

from dataclasses import replace

import numpy as np
import torch

from heads.data.batches import evaluation_batch
from heads.models.closed_form.numpy_state import numpy_state_kept
from heads.models.closed_form.stack import AttentionNetwork, Stack
from heads.training.methods.closed_form import folds_of, without
from heads.training.methods.loop import train
from heads.training.methods.predictions import score_videos
from heads.training.methods.training import OnEpoch, OnInner, Trained, Training


def fit_stack(
    training: Training, on_epoch: OnEpoch | None = None, on_inner: OnInner | None = None
) -> Trained:
    """Fit every part to the training set, and weigh the parts by their predictions for inner folds."""
    samples, fold = training.samples, training.fold
    adaptation = training.recipe.adaptation
    assert adaptation is not None, "the stack has an adapted recipe"
    with torch.random.fork_rng(devices=[]):  # the start that is overwritten below draws numbers
        module = training.build(samples.dims)
    assert isinstance(module, Stack)
    folds = folds_of(training, num_folds=adaptation.num_folds)
    labels = training.labels[fold.train]
    batch = evaluation_batch(samples, fold.train, recipe=training.recipe)
    with numpy_state_kept():
        out_of_fold = module.fit_experts(batch.features, batch.masks, labels, folds=folds)
    network = replace(
        training,
        build=AttentionNetwork,
        recipe=replace(training.recipe, adaptation=replace(adaptation, standardize=True)),
        select="last",
    )
    of_network = np.zeros(len(labels))
    for number, held_out in enumerate(folds, start=1):
        if on_inner is not None:
            on_inner(number, len(folds))
        trained = train(without(network, held_out))
        of_network[held_out] = trained.scores[fold.train[held_out]]
    trained = train(network, on_epoch)
    module.network.load_state_dict(dict(trained.state))
    combined = module.weigh([*out_of_fold, of_network], labels)
    module.eval()
    scores = score_videos(module, samples, np.arange(len(samples.video_ids)), recipe=training.recipe)
    return Trained(dict(module.state_dict()), trained.chosen_epoch, trained.epochs, scores, combined)
