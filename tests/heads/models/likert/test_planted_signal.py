"""Both heads find a quality that shifts one feature of most steps; without it they find nothing."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from heads.data.feature_set import FeatureSet
from heads.data.folds import Fold
from heads.recipes.adapted import CANDIDATES
from heads.registry import find_head
from heads.training.methods.choose import regularized
from heads.training.methods.loop import train
from heads.training.methods.training import Training

NUM_TRAIN, NUM_TEST, NUM_STEPS, DIM = 64, 60, 6, 8


def samples_of(*, effect: float) -> FeatureSet:
    rng = np.random.default_rng(0)
    quality = rng.normal(size=NUM_TRAIN + NUM_TEST)
    steps = rng.normal(size=(len(quality), NUM_STEPS, DIM)) + 3
    steps[:, :4, 0] += effect * quality[:, None]
    return FeatureSet(
        video_ids=tuple(map(str, range(len(quality)))),
        streams={"segments": torch.from_numpy(steps).float()},
        lengths={"segments": torch.full((len(quality),), NUM_STEPS)},
        pts_seconds={"segments": ()},
        labels=(quality - quality.mean()) / quality.std(),
    )


@pytest.mark.parametrize("name", ["gdlt", "cofinal"])
def test_the_heads_find_a_planted_quality(name: str) -> None:
    head = find_head(name)
    recipe = head.choose_recipe("folder", "all", "adapted", {"segments": [NUM_STEPS]})
    recipe = replace(regularized(recipe.with_ridge_share(None), CANDIDATES[2]).with_epochs(12), batch_size=16)
    fold = Fold(np.arange(NUM_TRAIN), np.arange(0), np.arange(NUM_TRAIN, NUM_TRAIN + NUM_TEST))

    def agreement(effect: float) -> float:
        samples = samples_of(effect=effect)
        training = Training(
            lambda dims, **options: head.build(dims, "adapted", **options),
            samples,
            fold,
            samples.labels,
            recipe,
            seed=0,
        )
        return train(training).epochs[-1].test

    assert agreement(2.0) > 0.7
    assert abs(agreement(0.0)) < 0.4  # three standard errors of 60 videos
