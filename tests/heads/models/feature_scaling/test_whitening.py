"""Whitening: known components, and padding that stays zero."""

import pytest
import torch

from aqa_pipeline.records import Target
from heads.data.feature_set import FeatureSet, load_features
from heads.models.action_net import ActionNet
from heads.models.feature_scaling.whitening import Whitened, principal_components


@pytest.fixture
def samples(world) -> FeatureSet:
    ids = [video.video_id for video in world.dataset.videos[:20]]
    return load_features(world.store, world.dataset, world.specs, target=Target("score"), video_ids=ids)


def test_components_of_known_data() -> None:
    """Two dimensions that move together, one that stands still: one component along the diagonal."""
    steps = torch.tensor([[1.0, 10.0, 5.0], [2.0, 20.0, 5.0], [3.0, 30.0, 5.0]], dtype=torch.float64)
    mean, projection = principal_components(steps)
    assert mean.tolist() == [2, 20, 5]
    assert projection.shape == (3, 1)
    whitened = ((steps - mean) @ projection).flatten()
    assert abs(whitened).tolist() == pytest.approx([1.5**0.5, 0, 1.5**0.5])


def test_fewer_steps_than_components_leave_zeros() -> None:
    module = Whitened(ActionNet({"crops": 4}), {"crops": 4}, {"crops": 4})
    module.fit({"crops": torch.rand(1, 3, 4)}, {"crops": torch.tensor([3])})
    assert module.projection_crops.any(dim=0).tolist() == [True, True, False, False]


def test_whitened_padding_stays_zero(samples: FeatureSet) -> None:
    """Else the released network, which takes padding for steps, would see minus the mean there."""
    seen = {}

    def spy(features: dict, masks: dict) -> None:
        seen.update(features)

    module = Whitened(torch.nn.Identity(), samples.dims, samples.dims)
    module.fit(samples.streams, samples.lengths)
    module.head.forward = spy
    masks = {s: torch.arange(x.shape[1]) < samples.lengths[s][:, None] for s, x in samples.streams.items()}
    module(samples.streams, masks)
    assert all(not seen[stream][~masks[stream]].any() for stream in masks)
    assert all(seen[stream][masks[stream]].any() for stream in masks)
