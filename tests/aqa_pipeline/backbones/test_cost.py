"""Costs are those of formulas, of an independent counter, and those that the libraries publish."""

import logging
import warnings

import pytest
import torch
from torch import nn
from torchvision.models import get_model_weights

from aqa_pipeline.backbones import BACKBONES

# Multiply-adds (G) in docs/source/model_zoo.md of pytorchvideo. The numbers of its other networks also count
# elementwise operations, and are 1 to 9 % higher.
ZOO_GFLOPS = {"slow_r50": 54.52, "slowfast_r50": 65.71}
CLASSES = 400


def test_a_network_by_hand(measure_cost):
    network = nn.Sequential(
        nn.Conv3d(3, 8, (1, 3, 3), padding=(0, 1, 1)), nn.BatchNorm3d(8), nn.Flatten(), nn.Linear(8 * 128, 5)
    )
    cost = measure_cost(network, (3, 2, 8, 8))
    assert cost.gflops * 1e9 == pytest.approx(3 * 9 * 8 * 2 * 8 * 8 + 8 * 128 * 5)
    assert cost.num_parameters == 3 * 9 * 8 + 8 + 2 * 8 + 8 * 128 * 5 + 5


def test_measuring_leaves_the_network_as_it_was(measure_cost):
    network = nn.Sequential(nn.Conv3d(3, 8, 3), nn.BatchNorm3d(8))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    measure_cost(network, (3, 4, 8, 8))
    after = network.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())


@pytest.mark.usefixtures("weightless")
@pytest.mark.parametrize("name", ["x3d_s", "efficientnet_b0"])
def test_an_independent_counter_agrees(name, measure_cost):
    pytest.importorskip("pytorchvideo", reason="x3d_s and fvcore come with the extra `pytorchvideo`")
    network = BACKBONES[name].build().eval()
    shape = (3, 13, 64, 64) if name == "x3d_s" else (3, 64, 64)
    if name == "x3d_s":
        network.blocks[5].pool.pool.kernel_size = (13, 2, 2)  # its window, for maps smaller than official
    logging.getLogger("fvcore").setLevel(logging.ERROR)  # lists what it does not count
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it traces with torch.jit, since deprecated
        from fvcore.nn import FlopCountAnalysis

        counted = FlopCountAnalysis(network, torch.zeros(1, *shape)).by_operator()
    products = sum(counted[kind] for kind in ("conv", "linear", "matmul"))
    assert measure_cost(network, shape).gflops * 1e9 == pytest.approx(products, rel=1e-6)


@pytest.mark.parametrize("name", ["r3d_18", "mc3_18", "r2plus1d_18", "s3d", "mvit_v1_b", "mvit_v2_s"])
def test_torchvision_publishes_the_same_costs(name):
    backbone, published = BACKBONES[name], get_model_weights(name).DEFAULT.meta
    classifier = (backbone.feature_size + 1) * CLASSES
    assert backbone.cost.num_parameters + classifier == published["num_params"]
    assert backbone.cost.gflops == pytest.approx(published["_ops"], abs=0.01)


@pytest.mark.parametrize("name", ["swin3d_t", "swin3d_s", "swin3d_b"])
def test_torchvision_publishes_half_the_costs_for_half_the_frames(name):
    backbone, published = BACKBONES[name], get_model_weights(name).DEFAULT.meta
    assert backbone.cost.num_parameters + (backbone.feature_size + 1) * CLASSES == published["num_params"]
    assert backbone.cost.gflops == pytest.approx(2 * published["_ops"], rel=1e-3)


@pytest.mark.parametrize("name", ZOO_GFLOPS)
def test_pytorchvideo_publishes_the_same_costs(name):
    assert BACKBONES[name].cost.gflops == pytest.approx(ZOO_GFLOPS[name], abs=0.01)
