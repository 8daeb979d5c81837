"""The output of a network for videos of a feature set, without gradients or dropout."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from heads.data.batches import evaluation_batch
from heads.data.feature_set import FeatureSet
from heads.models.output import HeadOutput
from heads.recipes import Recipe

# Whole sequences are scored in portions, so that testing needs no more memory than training.
SCORED_AT_ONCE = 32


def score_videos(
    module: nn.Module, samples: FeatureSet, videos: NDArray[np.int64], *, recipe: Recipe
) -> NDArray[np.float64]:
    """Return the normalized scores of these videos, as testing sees them."""
    at_once = min(SCORED_AT_ONCE, recipe.batch_size) if samples.maps else SCORED_AT_ONCE
    portions = [videos[start : start + at_once] for start in range(0, len(videos), at_once)]
    scores = [evaluate_videos(module, samples, portion, recipe=recipe).scores for portion in portions]
    return torch.cat(scores).double().cpu().numpy()


def evaluate_videos(
    module: nn.Module, samples: FeatureSet, videos: NDArray[np.int64], *, recipe: Recipe
) -> HeadOutput:
    """Return the head's output for these videos, without gradients or dropout; the mode is restored."""
    batch = evaluation_batch(samples, videos, recipe=recipe)
    was_training = module.training
    module.eval()
    with torch.no_grad():
        output: HeadOutput = module(batch.features, batch.masks)
    module.train(was_training)
    return output
