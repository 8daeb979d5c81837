"""The second stage of I3D is that of the whole network, loads from its checkpoint, and trains."""

import pytest
import torch
from torch import nn

from aqa_pipeline.backbones.networks.i3d import (
    ENDPOINTS,
    InceptionI3d,
    SecondStage,
    channels_after,
    pool_maps,
    run_stages,
)
from aqa_pipeline.errors import UnknownName, WeightsError


@pytest.fixture(scope="module")
def whole() -> InceptionI3d:
    """Return an I3D whose statistics and affine values differ from layer to layer."""
    torch.manual_seed(0)
    net = InceptionI3d(num_classes=7).eval()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm3d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.2)
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.05, 0.2)
    return net


def features_from(network: InceptionI3d, endpoint: str, maps: torch.Tensor) -> torch.Tensor:
    """Return the whole network's features of maps that come after `endpoint`."""
    return pool_maps(run_stages(network, ENDPOINTS[ENDPOINTS.index(endpoint) + 1 :], maps))


@pytest.mark.parametrize("after", ["Mixed_4e", "MaxPool3d_4a_3x3", "Mixed_4f", "MaxPool3d_5a_2x2"])
def test_the_second_stage_is_that_of_the_whole_network(whole: InceptionI3d, after: str) -> None:
    """The maps may be negative, as after the tube attention."""
    stage = SecondStage(after=after).eval()
    stage.load_checkpoint(whole.state_dict())
    size = 7 if after == "MaxPool3d_5a_2x2" else 14
    maps = torch.randn(2, channels_after(after), 4, size, size)
    with torch.no_grad():
        features, expected = stage(maps), features_from(whole, after, maps)
    assert features.shape == (2, 1024)
    torch.testing.assert_close(features, expected, rtol=1e-5, atol=1e-5)
    assert features.std() > 0


def test_odd_sizes_are_padded_as_in_the_whole_network(whole: InceptionI3d) -> None:
    stage = SecondStage(after="Mixed_4e").eval()
    stage.load_checkpoint(whole.state_dict())
    maps = torch.randn(1, 528, 3, 11, 9)
    with torch.no_grad():
        torch.testing.assert_close(stage(maps), features_from(whole, "Mixed_4e", maps), rtol=1e-5, atol=1e-5)


def test_the_second_stage_trains(whole: InceptionI3d) -> None:
    stage = SecondStage(after="Mixed_4e")
    stage.load_checkpoint(whole.state_dict())
    maps = torch.randn(1, 528, 4, 14, 14, requires_grad=True)
    stage(maps).square().sum().backward()
    assert maps.grad is not None
    assert maps.grad.abs().sum() > 0
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in stage.parameters())


def test_channels_of_the_maps() -> None:
    assert [channels_after(name) for name in ENDPOINTS[7:]] == [480, 512, 512, 512, 528, 832, 832, 832, 1024]


def test_old_checkpoints_without_batch_counters_load(whole: InceptionI3d) -> None:
    state = {n: t for n, t in whole.state_dict().items() if "num_batches_tracked" not in n}
    SecondStage(after="Mixed_4e").load_checkpoint(state)


def test_checkpoints_that_do_not_fit_are_refused(whole: InceptionI3d) -> None:
    state, stage = whole.state_dict(), SecondStage(after="Mixed_4e")
    before = {name: tensor.clone() for name, tensor in stage.state_dict().items()}
    lacking = {name: tensor for name, tensor in state.items() if name != "Mixed_5c.b0.bn.weight"}
    with pytest.raises(WeightsError, match=r"from Mixed_4f to Mixed_5c: missing \['Mixed_5c.b0.bn.weight'\]"):
        stage.load_checkpoint(lacking)
    with pytest.raises(WeightsError, match=r"another shape \['Mixed_5b.b0.conv3d.weight'\]"):
        stage.load_checkpoint(state | {"Mixed_5b.b0.conv3d.weight": torch.zeros(1)})
    with pytest.raises(WeightsError, match=r"unexpected .* \['Mixed_5b.b9.bias'\]"):
        stage.load_checkpoint(state | {"Mixed_5b.b9.bias": torch.zeros(1)})
    assert all(torch.equal(before[name], tensor) for name, tensor in stage.state_dict().items())
    with pytest.raises(UnknownName, match="endpoint of I3D to go on from 'Mixed_5c'"):
        SecondStage(after="Mixed_5c")
    with pytest.raises(ValueError, match="at least 9 frames"):
        SecondStage(after="Mixed_4e")(torch.zeros(1, 528, 2, 14, 14))


def test_gradients_are_those_of_torchs_own_pool(whole: InceptionI3d) -> None:
    """The gradient of equal values (zeros after ReLU) goes to one of them, as in `F.max_pool3d`."""
    stage = SecondStage(after="Mixed_4f").train()
    stage.load_checkpoint(whole.state_dict())
    maps = torch.randn(2, 832, 4, 6, 6).relu().requires_grad_()
    pooled = nn.functional.max_pool3d(maps, 2, 2)
    torch.testing.assert_close(
        torch.autograd.grad(stage.get_submodule("MaxPool3d_5a_2x2")(maps).sum(), maps)[0],
        torch.autograd.grad(pooled.sum(), maps)[0],
        rtol=0,
        atol=0,
    )
