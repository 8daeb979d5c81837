"""A folded network is the same function without normalizations."""

import pytest
import torch
from torch import nn

from aqa_pipeline.backbones import BACKBONES
from aqa_pipeline.backbones.entries.pytorchvideo import PYTORCHVIDEO
from aqa_pipeline.backbones.networks.i3d_layers import ConvUnit, FoldedUnit
from aqa_pipeline.backbones.onednn import OneDnnConv3d, by_onednn
from extract.runtimes.fold_batchnorm import NORMALIZATIONS, folded

FOLDED_WHOLLY = (
    "i3d",
    "resnet50",
    "r3d_18",
    "r2plus1d_18",
    "s3d",
    "slowfast_r50",
    "x3d_s",
    "efficientnet_b0",
    "lite0",
)


def num_normalizations(network):
    return sum(isinstance(module, NORMALIZATIONS) for module in network.modules())


@pytest.mark.parametrize("looks_at_shape", [False, True])
@pytest.mark.parametrize("clips", [False, True])
def test_a_folded_network_is_the_same_function(make_program, clips, looks_at_shape):
    network = make_program(clips=clips, looks_at_shape=looks_at_shape).network()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    pictures = torch.randn(2, 3, *([4] if clips else []), 9, 9, generator=torch.Generator().manual_seed(0))
    other = folded(network)
    assert num_normalizations(other) == 0
    assert num_normalizations(network) == 2
    with torch.no_grad():
        torch.testing.assert_close(other(pictures), network(pictures), rtol=1e-5, atol=1e-5)
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_each_normalization_keeps_its_own_epsilon():
    """The features of I3D's two ports differ by some percent: their epsilons are 1e-3 and 1e-5."""
    units = [ConvUnit(3, 4, (1, 1, 1), bn_eps=eps, padding="static").eval() for eps in (1e-3, 1e-1)]
    units[1].load_state_dict(units[0].state_dict())
    for unit in units:
        unit.bn.running_var.fill_(0.01)
    clip = torch.randn(1, 3, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        narrow, wide = (unit.folded()(clip) for unit in units)
        torch.testing.assert_close(narrow, units[0](clip))
        torch.testing.assert_close(wide, units[1](clip))
    assert not torch.allclose(narrow, wide, rtol=0.1)


def test_a_convolution_that_two_normalizations_follow_stays_as_it_is():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.one, self.two = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), nn.BatchNorm2d(3)

        def forward(self, x):
            x = self.conv(x)
            return self.one(x) + 2 * self.two(x)

    network, pictures = Twice().eval(), torch.randn(1, 3, 4, 4)
    with torch.no_grad():
        network.one.running_mean.fill_(1.0)
        torch.testing.assert_close(folded(network)(pictures), network(pictures))


def test_a_convolution_used_twice_stays_as_it_is():
    class Shared(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)

        def forward(self, x):
            return self.norm(self.conv(x)) + self.conv(x + 1)

    network, pictures = Shared().eval(), torch.randn(1, 3, 4, 4)
    with torch.no_grad():
        network.norm.running_mean.fill_(1.0)
        torch.testing.assert_close(folded(network)(pictures), network(pictures))


@pytest.mark.parametrize("name", FOLDED_WHOLLY)
@pytest.mark.usefixtures("weightless")
def test_no_normalization_is_left_in(name):
    if BACKBONES[name] in PYTORCHVIDEO:
        pytest.importorskip("pytorchvideo", reason="needs the extra `pytorchvideo`")
    with torch.device("meta"):
        network = BACKBONES[name].build().eval()
    assert num_normalizations(network) > 10
    assert num_normalizations(folded(network)) == 0


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "groups"),
    [((3, 1, 1), 1, (1, 0, 0), 1), ((1, 1, 1), 2, 0, 1), ((3, 3, 3), (1, 2, 2), (1, 1, 1), 4)],
)
def test_convolutions_by_onednn_are_torchs(kernel, stride, padding, groups):
    network = nn.Sequential(nn.Conv3d(4, 8, kernel, stride, padding, groups=groups))
    clips = torch.randn(2, 4, 5, 6, 7, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = network(clips)
        changed = by_onednn(network)
        assert isinstance(changed[0], OneDnnConv3d)
        torch.testing.assert_close(changed(clips), expected, rtol=1e-4, atol=1e-5)


def test_only_plain_convolutions_are_run_by_onednn():
    """A unit with its own `forward` and convolutions with other padding are left unchanged."""
    unit = ConvUnit(3, 4, (1, 1, 1), bn_eps=1e-5, padding="static").eval().folded()
    network = nn.Sequential(
        unit, nn.Conv3d(4, 4, 3, padding="same"), nn.Conv3d(4, 4, 1, padding_mode="circular")
    )
    by_onednn(network)
    assert isinstance(network[0], FoldedUnit)
    assert [type(module) for module in network[1:]] == [nn.Conv3d, nn.Conv3d]
