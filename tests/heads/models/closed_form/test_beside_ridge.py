"""A network beside ridge regression: the weighted mean, its weight, and that it loads as it was fitted."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn

from heads.models.closed_form.beside_ridge import SHARES, BesideRidge, network_of, share_of_ridge
from heads.models.closed_form.regressors import inner_folds
from heads.models.output import HeadOutput

DIMS = {"a": 3}
NUM = 30


class Sevens(nn.Module):
    """A network that always predicts 7 and reads the first of four steps."""

    def forward(self, features, masks) -> HeadOutput:
        weights = torch.zeros(masks["a"].shape)
        weights[:, 0] = 1.0
        return HeadOutput(torch.full((len(features["a"]),), 7.0), {"a": weights})


def videos() -> tuple[dict, dict, np.ndarray]:
    rng = np.random.default_rng(0)
    features = torch.from_numpy(rng.normal(size=(NUM, 4, 3))).float()
    labels = features.mean(dim=1).sum(dim=-1).double().numpy()
    return {"a": features}, {"a": torch.ones(NUM, 4, dtype=torch.bool)}, labels / labels.std()


def fitted(share: float) -> BesideRidge:
    features, masks, labels = videos()
    module = BesideRidge(Sevens(), DIMS, share=share).eval()
    module.fit_ridge(features, masks, labels, folds=inner_folds(NUM, num_folds=3, seed=0))
    return module


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_the_score_is_the_weighted_mean_of_both(share: float) -> None:
    features, masks, labels = videos()
    alone = fitted(1.0)(features, masks).scores.numpy()
    assert np.corrcoef(alone, labels)[0, 1] > 0.95
    both = fitted(share)(features, masks)
    np.testing.assert_allclose(both.scores.numpy(), (1 - share) * 7 + share * alone, rtol=1e-5)
    expected = torch.tensor([1 - share, 0, 0, 0]) + share / 4
    torch.testing.assert_close(both.attention["a"], expected.expand(NUM, 4))


def test_it_loads_into_an_unfitted_one_and_scores_the_same() -> None:
    features, masks, _ = videos()
    module, other = fitted(0.3), BesideRidge(Sevens(), DIMS, share=0.5).eval()
    other.load_state_dict(module.state_dict())
    assert torch.equal(other(features, masks).scores, module(features, masks).scores)
    assert float(other.share) == 0.3


def test_the_share_is_the_largest_that_costs_less_than_a_hundredth_of_correlation() -> None:
    labels = np.arange(20.0)
    noise = np.random.default_rng(0).permutation(labels)
    assert share_of_ridge(noise, labels, labels) == 1
    assert share_of_ridge(labels, noise, labels) == 0
    assert share_of_ridge(labels, labels / 2, labels) == 1, "of equals ridge regression has all"
    assert share_of_ridge(np.zeros(20), np.zeros(20), labels) == 1, "so it has where both find nothing"
    slightly = labels + np.random.default_rng(1).normal(scale=3, size=20)
    correlations = [spearmanr((1 - share) * labels + share * slightly, labels).statistic for share in SHARES]
    expected = max(share for share, value in zip(SHARES, correlations, strict=True) if value >= 0.99)
    assert 0 < expected < 1
    assert share_of_ridge(labels, slightly, labels) == expected


def test_the_network_alone_is_within_reach() -> None:
    module = fitted(0.5)
    assert network_of(module) is module.network
    assert network_of(module.network) is module.network
