"""The effect of each step on a score: the score with the step minus the score without it.

Occlusion: Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014, section 4.2. An
attention weight says how much of a step a network read, not in which direction the step moved the score.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from heads.data.batches import Batch
from heads.data.tube_maps import tube_of
from heads.models.fine_tuned import FineTuned
from heads.models.output import HeadOutput

MOST_PIECES = 64  # of a stream; in a longer one several steps in a row are left out together
AT_ONCE = 16


def step_effects(module: nn.Module, batch: Batch) -> dict[str, NDArray[np.float64]]:
    """Return the effect of each step `(time)` per stream, in normalized units, for a batch of one video.

    A positive effect raised the score. Steps that are left out together share their effect equally. A video
    of a single step has no effect of a step: it is 0.
    """
    if isinstance(module, FineTuned):  # each clip passes the backbone once, whatever is left out
        with torch.no_grad():
            batch = replace(batch, features=module.encode(batch.features, batch.masks))
        module = module.head
    whole = _scores(module, batch.features, batch.masks)[0]
    effects = {}
    for stream, mask in batch.masks.items():
        num_steps = int(mask.sum())
        effects[stream] = np.zeros(num_steps)
        if num_steps < 2:
            continue
        pieces = np.array_split(np.arange(num_steps), min(num_steps, MOST_PIECES))
        without = np.concatenate(list(_scores_without(module, batch, stream, pieces)))
        for piece, score in zip(pieces, without, strict=True):
            effects[stream][piece] = (whole - score) / len(piece)
    return effects


def _scores_without(
    module: nn.Module, batch: Batch, stream: str, pieces: list[NDArray[np.intp]]
) -> Iterator[NDArray[np.float64]]:
    """Yield the scores without each piece, some at a time; pieces of one length share a forward pass."""
    num_steps = batch.masks[stream].shape[1]
    kept = [np.setdiff1d(np.arange(num_steps), piece) for piece in pieces]
    longest = max(map(len, kept))
    for start in range(0, len(kept), AT_ONCE):
        rows = kept[start : start + AT_ONCE]
        # The steps that are left move together; behind them a masked step fills the row.
        indices = torch.tensor(np.stack([np.pad(row, (0, longest - len(row)), mode="edge") for row in rows]))
        real = torch.arange(longest) < torch.tensor([len(row) for row in rows])[:, None]
        features = {name: _repeat(each, len(rows)) for name, each in batch.features.items()}
        masks = {name: _repeat(each, len(rows)) for name, each in batch.masks.items()}
        for name in (stream, tube_of(stream)):
            if name in batch.features:
                features[name] = batch.features[name][0][indices]
        masks[stream] = batch.masks[stream][0][indices] & real.to(batch.masks[stream].device)
        if stream in batch.features and batch.features[stream].ndim == 3:
            features[stream] = features[stream] * masks[stream][:, :, None]
        yield _scores(module, features, masks)


def _repeat(values: Tensor, number: int) -> Tensor:
    return values.expand(number, *values.shape[1:])


def _scores(
    module: nn.Module, features: Mapping[str, Tensor], masks: Mapping[str, Tensor]
) -> NDArray[np.float64]:
    with torch.no_grad():
        output: HeadOutput = module(features, masks)
    scores: NDArray[np.float64] = output.scores.double().cpu().numpy()
    return scores
