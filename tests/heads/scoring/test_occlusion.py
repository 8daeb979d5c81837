"""The effect of a step: the score with it minus the score without it."""

import numpy as np
import pytest
import torch
from torch import nn

from heads.data.batches import Batch
from heads.models.output import HeadOutput
from heads.scoring.occlusion import MOST_PIECES, step_effects


class Sum(nn.Module):
    """The sum over the real steps of all streams, which occlusion takes apart exactly."""

    def forward(self, features, masks) -> HeadOutput:
        totals = [(features[s].sum(dim=-1) * masks[s]).sum(dim=1) for s in masks]
        return HeadOutput(torch.stack(totals).sum(dim=0), {})


class Last(nn.Module):
    """The last real step, which only a head that sees steps in their order finds."""

    def forward(self, features, masks) -> HeadOutput:
        last = masks["a"].sum(dim=1) - 1
        return HeadOutput(features["a"][torch.arange(len(last)), last, 0], {})


def batch_of(**lengths: int) -> Batch:
    generator = torch.Generator().manual_seed(0)
    features = {name: torch.randn(1, num + 2, 3, generator=generator) for name, num in lengths.items()}
    masks = {name: torch.arange(num + 2)[None] < num for name, num in lengths.items()}
    return Batch(torch.tensor([0]), features, masks)


def test_effects_of_a_sum_are_its_terms() -> None:
    batch = batch_of(a=5, b=20)
    effects = step_effects(Sum(), batch)
    for stream, num in (("a", 5), ("b", 20)):
        terms = batch.features[stream][0, :num].sum(dim=-1).numpy()
        np.testing.assert_allclose(effects[stream], terms, atol=1e-4)


def test_the_steps_that_are_left_move_together() -> None:
    batch = batch_of(a=4)
    effects = step_effects(Last(), batch)["a"]
    values = batch.features["a"][0, :4, 0].numpy()
    np.testing.assert_allclose(effects, [0, 0, 0, values[3] - values[2]], atol=1e-6)


@pytest.mark.parametrize("num", [MOST_PIECES + 1, 200])
def test_long_videos_are_occluded_in_pieces_that_share_the_effect(num: int) -> None:
    batch = batch_of(a=num)
    effects = step_effects(Sum(), batch)["a"]
    terms = batch.features["a"][0, :num].sum(dim=-1).numpy()
    assert len(np.unique(effects)) <= MOST_PIECES
    assert effects.sum() == pytest.approx(terms.sum(), abs=1e-2)


def test_a_single_step_has_no_effect_of_its_own() -> None:
    assert step_effects(Sum(), batch_of(a=1))["a"].tolist() == [0.0]
