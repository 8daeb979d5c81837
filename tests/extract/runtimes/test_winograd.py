"""Winograd's algorithm along time gives the same function with fewer products."""

from collections import Counter

import numpy as np
import pytest
import torch
from torch import nn

openvino = pytest.importorskip("openvino", reason="needs the extra `openvino`")

from aqa_pipeline.backbones.networks.c3d import C3D  # noqa: E402
from aqa_pipeline.backbones.networks.i3d import InceptionI3d  # noqa: E402
from extract.runtimes.openvino import winograd  # noqa: E402
from extract.runtimes.openvino.winograd import spare_products  # noqa: E402
from extract.runtimes.openvino.winograd_matrices import transforms  # noqa: E402

pytestmark = [
    pytest.mark.filterwarnings("ignore:.torch.jit:FutureWarning"),
    pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning"),
    pytest.mark.filterwarnings("ignore:Using padding='same'"),
]


def converted(module, x):
    with torch.inference_mode():
        model = openvino.convert_model(torch.jit.trace(module.eval(), x), example_input=x)
    model.reshape(list(x.shape))
    return model


def kernels(model):
    """Count the model's convolutions by the size of their kernel."""
    nodes = (node for node in model.get_ordered_ops() if node.get_type_name() == "Convolution")
    return Counter(tuple(node.input_value(1).shape[2:]) for node in nodes)


def outputs(model, x):
    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return list(compiled(x.numpy()).values())


def clip(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def drawn(module):
    """Return the module with random weights and biases, as folded normalization leaves them."""
    torch.manual_seed(0)
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.1)
    return module


@pytest.mark.parametrize("num_frames", [3, 4, 5, 6, 7, 8, 9, 16])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("behind", [[], [nn.ReLU()], [nn.MaxPool3d(2)], [nn.ReLU(), nn.Conv3d(6, 2, 1)]])
def test_it_is_the_same_function(num_frames, bias, behind, monkeypatch):
    monkeypatch.setattr(winograd, "LEAST_GAIN", -np.inf)
    module = drawn(nn.Sequential(nn.Conv3d(5, 6, 3, padding=1, bias=bias), *behind))
    x = clip(1, 5, num_frames, 7, 8)
    model = converted(module, x)
    spare_products(model)
    assert kernels(model)[(3, 3, 3)] == 0
    # Fewer than four frames at the end need no sixth product.
    assert kernels(model)[(1, 3, 3)] == 6 * (num_frames // 4) + 5 * (num_frames % 4 > 0)
    assert_same(model, module, x)


@pytest.mark.parametrize("num_frames", [7, 8, 9, 15, 16])
@pytest.mark.parametrize(
    ("conv", "num_products"),
    [
        (nn.Conv3d(3, 6, 7, padding=3, stride=2), 7),
        (nn.Conv3d(3, 6, 7, padding=(0, 3, 3), stride=2), 7),
        (nn.Conv3d(3, 6, 7, padding=3, stride=(1, 2, 2)), 7),
        (nn.Conv3d(3, 6, (3, 7, 7), padding=(1, 3, 3), stride=(1, 2, 2)), 6),
        (nn.Conv3d(3, 6, (3, 1, 1), padding=(1, 0, 0)), 6),
        (nn.Conv3d(3, 6, 3, padding=(0, 1, 1)), 6),
        (nn.Conv3d(3, 6, 3, padding=1, stride=2), 5),
        (nn.Conv3d(3, 6, (2, 3, 3)), 5),
        (nn.Conv3d(3, 6, (2, 3, 3), stride=(3, 1, 1)), 4),  # no output sees every third frame
        (nn.Conv3d(3, 6, (4, 3, 3), padding="same"), 7),  # one frame of zeros before, two after
        (nn.Conv3d(3, 6, (5, 3, 1), padding=(2, 1, 0), stride=(3, 1, 2)), 5),
    ],
    ids=str,
)
def test_strides_and_taps_are_kept(conv, num_products, num_frames, monkeypatch):
    monkeypatch.setattr(winograd, "LEAST_GAIN", -np.inf)
    module, x = drawn(conv), clip(1, 3, num_frames, 9, 8)
    model = converted(module, x)
    spare_products(model)
    (whole_tiles, rest) = divmod(module(x).shape[2], 4)
    most = num_products * whole_tiles + (num_products - 1) * (rest > 0)
    assert kernels(model).keys() == {(1, *conv.kernel_size[1:])}
    assert most - 3 <= kernels(model).total() <= most  # products of zeros alone are left out
    assert_same(model, module, x, within=4e-6)  # four taps round twice as much as three


@pytest.mark.parametrize("taps", [(2,), (3,), (4,), (3, 2)], ids=str)
def test_the_matrices_give_the_convolution(taps):
    """The matrices also give the sum of two convolutions, from the sum of their products."""
    rng = np.random.default_rng(0)
    matrices, expected, products = transforms(max(taps)), np.zeros(4), 0
    for num_taps in taps:
        inputs, kernel = rng.normal(size=3 + max(taps)), rng.normal(size=num_taps)
        expected += np.correlate(inputs, kernel)[:4]
        products += (matrices.G[:, :num_taps] @ kernel) * (matrices.B @ inputs)
    np.testing.assert_allclose(matrices.A @ products, expected, rtol=0, atol=1e-12)


def assert_same(model, module, x, *, within=2e-6):
    (output,) = outputs(model, x)
    expected = module(x).detach().numpy()
    np.testing.assert_allclose(output, expected, rtol=0, atol=within * np.abs(expected).max())


POOLS = [
    pytest.param(nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)), (1, 6, 1, 4, 4), id="each frame alone"),
    pytest.param(nn.MaxPool3d((1, 3, 3), (1, 2, 2), ceil_mode=True), (1, 6, 1, 4, 4), id="rounded up"),
    pytest.param(nn.MaxPool3d((2, 3, 3), (1, 2, 2)), (1, 6, 7, 3, 3), id="two frames"),
    pytest.param(nn.MaxPool3d((1, 3, 3), 2), (1, 6, 4, 3, 3), id="every other frame"),
]


@pytest.mark.parametrize(("pool", "shape"), POOLS)
def test_a_pooling_is_done_before_frames_are_joined(pool, shape, monkeypatch):
    """A pooling of single frames is done on each frame; the frames are joined after it."""
    monkeypatch.setattr(winograd, "LEAST_GAIN", -np.inf)
    module = drawn(nn.Sequential(nn.Conv3d(3, 6, 3, padding=1), nn.ReLU(), pool))
    x = clip(1, 3, 8, 8, 8)
    model = converted(module, x)
    spare_products(model)
    pooled = [node for node in model.get_ordered_ops() if node.get_type_name() == "MaxPool"]
    assert {tuple(node.output(0).shape) for node in pooled} == {shape}
    assert len(pooled) == (8 if shape[2] == 1 else 1)
    assert_same(model, module, x)


class ReadTwice(nn.Module):
    """A convolution whose output is read twice: as an output, and by a ReLU."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv3d(4, 4, 3, padding=1)

    def forward(self, x):
        mapped = self.conv(x)
        return mapped, torch.relu(mapped)


class AddedUp(nn.Module):
    """A convolution with a sum after it: of another map, of a number per frame, or of a bias."""

    def __init__(self, summand):
        super().__init__()
        self.conv = nn.Conv3d(4, 4, 3, padding=1, bias=False)
        self.register_buffer("summand", summand)

    def forward(self, x):
        return torch.relu(self.conv(x) + (x if self.summand is None else self.summand))


@pytest.mark.parametrize(
    "module",
    [ReadTwice(), AddedUp(None), AddedUp(clip(1, 1, 8, 1, 1)), AddedUp(clip(1, 4, 1, 1, 1))],
    ids=["read twice", "a map", "a number per frame", "a bias"],
)
def test_what_follows_is_kept(module, monkeypatch):
    monkeypatch.setattr(winograd, "LEAST_GAIN", 0)
    x = clip(1, 4, 8, 6, 6)
    model = converted(drawn(module), x)
    spare_products(model)
    assert kernels(model) == {(1, 3, 3): 12}
    expected = module(x) if isinstance(module, ReadTwice) else [module(x)]
    for found, wanted in zip(outputs(model, x), expected, strict=True):
        np.testing.assert_allclose(found, wanted.detach().numpy(), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "conv",
    [
        nn.Conv3d(128, 128, 3, padding=1, stride=(2, 1, 1)),  # gains too little
        nn.Conv3d(128, 128, 3, padding=2, dilation=2),
        nn.Conv3d(128, 128, 3, padding=2),
        nn.Conv3d(128, 128, (1, 3, 3), padding=(0, 1, 1)),
        nn.Conv3d(128, 128, 3, padding=1, groups=2),
        nn.Conv3d(128, 8, 3, padding=1),  # gains too little
    ],
    ids=str,
)
def test_others_stay(conv):
    model = converted(conv, clip(1, 128, 8, 6, 6))
    before = kernels(model)
    spare_products(model)
    assert kernels(model) == before


def test_two_frames_have_nothing_to_spare():
    model = converted(nn.Conv3d(128, 128, 3, padding=1), clip(1, 128, 2, 6, 6))
    spare_products(model)
    assert kernels(model) == {(3, 3, 3): 1}


@pytest.mark.parametrize(
    ("network", "shape", "num_left", "num_tiles"),
    [(InceptionI3d, (1, 3, 16, 96, 96), 6, 17), (C3D, (1, 3, 16, 112, 112), 3, 10)],
)
def test_networks_keep_their_features(network, shape, num_left, num_tiles):
    torch.manual_seed(0)
    module, x = network().eval(), clip(*shape)
    model = converted(module, x)
    (expected,) = outputs(model, x)
    spare_products(model)
    assert kernels(model)[(3, 3, 3)] == num_left
    assert kernels(model)[(1, 3, 3)] == 6 * num_tiles
    (found,) = outputs(model, x)
    assert not np.array_equal(found, expected)
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-5 * np.abs(expected).max())
