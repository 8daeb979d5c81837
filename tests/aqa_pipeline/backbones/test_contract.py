"""Every backbone has its feature size and cost, is deterministic, and preprocesses exactly once.

Each network is built once for all of its tests. Of the largest ones, a tiny version is built, and only the
shapes of the whole one.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch

from aqa_pipeline.backbones import BACKBONES
from aqa_pipeline.backbones.entries.pytorchvideo import PYTORCHVIDEO
from aqa_pipeline.backbones.preprocess import PREPROCESS, get_preprocess
from extract.runtimes.load_backbone import LoadedBackbone
from tiny_encoders import TINY, tiny

# Networks with fully connected maps or learned positions take no smaller input than the official one.
WHOLE_INPUT = ("c3d", "mvit_v1_b", "mvit_v2_s", "mvit_base_16x4", "vit_b_16")
SMALL_SIZE, SMALL_FRAMES = 32, 16


@pytest.fixture(scope="module", params=BACKBONES)
def built(request, quick_build):
    """Return a backbone and its network, both tiny for those in `TINY`."""
    if request.param in TINY:
        backbone, _ = tiny(request.param)
        return backbone, backbone.build().eval()
    backbone = BACKBONES[request.param]
    if backbone in PYTORCHVIDEO:
        pytest.importorskip("pytorchvideo", reason="needs the extra `pytorchvideo`")
    return backbone, quick_build(backbone.build)


def small_input(backbone):
    """Return (frames or None, size) of a small input for the tests."""
    if backbone.name in TINY:
        return backbone.frames_per_clip, TINY[backbone.name].size
    if backbone.name in WHOLE_INPUT:
        return backbone.frames_per_clip, get_preprocess(backbone.preprocess["paper"]).size
    if backbone.frames_per_clip is None:
        return None, SMALL_SIZE
    return min(backbone.frames_per_clip, SMALL_FRAMES), SMALL_SIZE


def known_frames(frames, size):
    shape = (size, size, 3) if frames is None else (frames, size, size, 3)
    return np.random.default_rng(0).integers(0, 256, (1, *shape), np.uint8)


def normalized_by_hand(batch, preprocess):
    scaled = (batch / 255 - np.array(preprocess.mean)) / np.array(preprocess.std)
    return np.moveaxis(scaled, -1, 1)


def test_its_features_are_the_network_on_frames_normalized_once(built, global_windows):
    backbone, network = built
    frames, size = small_input(backbone)
    preprocess = get_preprocess(backbone.preprocess["paper"])
    batch = known_frames(frames, size)
    with global_windows(network):
        loaded = LoadedBackbone(
            replace(backbone, frames_per_clip=frames),
            replace(preprocess, size=size),
            "random:0",
            "cpu",
            "fp32",
            lambda: network,
        )
        features = loaded.features(batch)
        np.testing.assert_array_equal(features, loaded.features(batch))
        with torch.inference_mode():
            normalized = torch.from_numpy(normalized_by_hand(batch, preprocess)).float()
            expected = network(normalized).numpy()
    assert np.linalg.norm(features - expected) < 1e-4 * np.linalg.norm(expected)
    assert features.shape == (1, backbone.feature_size)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()
    assert features.std() > 0


def test_its_cost_is_what_its_entry_says(built, measure_cost):
    tiny_or_whole, network = built
    backbone = BACKBONES[tiny_or_whole.name]
    if backbone.name in TINY:
        with torch.device("meta"):
            network = backbone.build()
    frames = () if backbone.frames_per_clip is None else (backbone.frames_per_clip,)
    size = get_preprocess(backbone.preprocess["paper"]).size
    cost = measure_cost(network, (3, *frames, size, size))
    assert cost.num_parameters == backbone.cost.num_parameters
    assert backbone.cost.gflops == pytest.approx(cost.gflops, abs=0.006)


@pytest.mark.parametrize("name", PREPROCESS)
def test_every_normalization_is_the_formula(name):
    preprocess, batch = PREPROCESS[name], known_frames(None, PREPROCESS[name].size)
    seen = LoadedBackbone(
        BACKBONES["resnet18"], preprocess, "random:0", "cpu", "fp32", torch.nn.Flatten
    ).features(batch)
    expected = normalized_by_hand(batch, preprocess)
    np.testing.assert_allclose(seen.reshape(expected.shape), expected, rtol=1e-4, atol=1e-4)
