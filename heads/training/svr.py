"""Fitting support vector regression on pooled features, in closed form: there is one "epoch"."""

import numpy as np
import torch

from heads.models.pooled_svr import PooledSvr
from heads.runs.epoch import Epoch
from heads.training.loop import OnEpoch, Trained, Training, score_videos


def fit_svr(training: Training, on_epoch: OnEpoch | None = None) -> Trained:
    """Fit as `train` does, in closed form and on the CPU; there is no epoch to select."""
    samples, fold, labels = training.samples, training.fold, training.labels
    module = training.build(samples.dims)
    assert isinstance(module, PooledSvr)
    (padded,), (lengths,) = samples.streams.values(), samples.lengths.values()
    mask = torch.arange(padded.shape[1]) < lengths[:, None]
    pooled, _ = module.pool(padded[fold.train], mask[fold.train])
    module.fit(pooled.double().numpy(), labels[fold.train], seed=training.seed)
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
    return Trained(dict(module.state_dict()), 1, (epoch,), scores)
