"""Features of mean 0 and variance 1."""

import numpy as np
import torch
from torch import nn

from heads.models.feature_scaling.standardized import Standardized
from heads.models.output import HeadOutput


class Echo(nn.Module):
    def forward(self, features, masks) -> HeadOutput:
        return HeadOutput(features["a"].sum(dim=(1, 2)), {"a": features["a"]})


def test_real_steps_have_mean_zero_and_variance_one_and_padding_stays_zero() -> None:
    rng = np.random.default_rng(0)
    features = torch.from_numpy(rng.normal(5, [1, 10, 0.1, 0], size=(6, 7, 4))).float()
    lengths = torch.tensor([7, 3, 5, 1, 7, 2])
    mask = torch.arange(7) < lengths[:, None]
    features[~mask] = 99.0
    module = Standardized(Echo(), {"a": 4}).eval()
    module.fit({"a": features}, {"a": lengths})
    seen = module({"a": features}, {"a": mask}).attention["a"]
    real = seen[mask]
    torch.testing.assert_close(real.mean(dim=0), torch.zeros(4), atol=1e-5, rtol=0)
    torch.testing.assert_close(real.std(dim=0, correction=0)[:3], torch.ones(3), atol=1e-4, rtol=0)
    assert (real[:, 3] == 0).all(), "a constant dimension tells nothing"
    assert (seen[~mask] == 0).all()


def test_several_views_share_mean_and_scale() -> None:
    features = torch.randn(3, 4, 2, 5) * 3 + 1
    module = Standardized(Echo(), {"a": 5})
    module.fit({"a": features}, {"a": torch.tensor([4, 4, 4])})
    torch.testing.assert_close(module.get_buffer("mean_a"), features.flatten(0, 2).mean(dim=0))


def test_input_dropout_is_for_training_alone() -> None:
    module = Standardized(Echo(), {"a": 50}, dropout=0.5)
    features, mask = torch.ones(2, 3, 50), torch.ones(2, 3, dtype=torch.bool)
    trained = module.train()({"a": features}, {"a": mask}).attention["a"]
    assert 0.3 < (trained == 0).float().mean() < 0.7
    assert set(trained.unique().tolist()) == {0.0, 2.0}, "the mean stays what it is"
    assert torch.equal(module.eval()({"a": features}, {"a": mask}).attention["a"], features)
