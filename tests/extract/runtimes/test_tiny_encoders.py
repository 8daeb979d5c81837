"""Encoders of transformers give the same features in OpenVINO and in bf16 as in eager torch."""

from dataclasses import replace

import numpy as np
import pytest

from aqa_pipeline.backbones.preprocess import get_preprocess
from aqa_pipeline.backbones.with_weights import network_with_weights
from extract.runtimes.load_backbone import LoadedBackbone
from tiny_encoders import TINY, tiny


@pytest.fixture(params=TINY)
def features(request, tmp_path, monkeypatch):
    """Return a function from a runtime and a precision to features of a known clip or image."""
    monkeypatch.setenv("AQA_HOME", str(tmp_path))
    backbone, size = tiny(request.param)
    network = network_with_weights(backbone, "random:0", size=size)[1]()
    preprocess = replace(get_preprocess(backbone.preprocess["paper"]), size=size)
    frames = () if backbone.frames_per_clip is None else (backbone.frames_per_clip,)
    batch = np.random.default_rng(0).integers(0, 256, (1, *frames, size, size, 3), np.uint8)

    def compute(runtime, precision="fp32"):
        return LoadedBackbone(
            backbone, preprocess, "random:0", "cpu", precision, lambda: network, runtime
        ).features(batch)

    return compute


def relative(features, expected):
    return np.linalg.norm(features - expected) / np.linalg.norm(expected)


def test_openvino_gives_the_same_features(features):
    pytest.importorskip("openvino", reason="needs the extra `openvino`")
    assert relative(features("openvino"), features("eager")) < 1e-5


@pytest.mark.usefixtures("bf16")
def test_bf16_gives_features_within_a_hundredth(features):
    assert relative(features("eager", "bf16"), features("eager")) < 0.01
