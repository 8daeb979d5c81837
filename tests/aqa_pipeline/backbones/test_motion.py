"""`NAME-motion`: the statistics over time of an image backbone's features, with its weights."""

import numpy as np
import pytest
import torch
from torch import nn

from aqa_pipeline.backbones import BACKBONES, backbone_origin, get_backbone
from aqa_pipeline.backbones.motion import motion_of
from aqa_pipeline.backbones.networks.frame_motion import FrameMotion
from aqa_pipeline.errors import AqaError, UnknownName
from extract.runtimes.load_backbone import load_backbone


def test_mean_deviation_and_change_are_the_formulas():
    clips = torch.randn(2, 3, 5, 4, 4, generator=torch.Generator().manual_seed(0))
    features = FrameMotion(nn.Flatten())(clips).numpy()
    frames = clips.numpy().transpose(0, 2, 1, 3, 4).reshape(2, 5, 48)  # as `Flatten` sees each frame
    expected = [frames.mean(1), frames.std(1), np.abs(np.diff(frames, axis=1)).mean(1)]
    np.testing.assert_allclose(features, np.concatenate(expected, axis=1), rtol=1e-5, atol=1e-6)


def test_a_still_picture_neither_varies_nor_changes():
    clips = torch.randn(1, 3, 1, 4, 4).expand(1, 3, 8, 4, 4)
    mean, deviation, change = FrameMotion(nn.Flatten())(clips).split(48, dim=1)
    assert mean.abs().max() > 0
    assert deviation.max() < 1e-6
    assert change.max() == 0


def test_the_entry_is_that_of_the_image_backbone_for_eight_frames():
    image, motion = get_backbone("resnet18"), get_backbone("resnet18-motion")
    assert (motion.name, motion.takes, motion.frames_per_clip) == ("resnet18-motion", "clip", 8)
    assert motion.feature_size == 3 * image.feature_size
    assert (motion.weights, motion.preprocess, motion.source) == (
        image.weights,
        image.preprocess,
        image.source,
    )
    assert motion.cost.gflops == 8 * image.cost.gflops


def test_a_file_of_the_image_network_loads_strictly(tmp_path):
    state = BACKBONES["lite0"].build().state_dict() | {"_fc.weight": torch.zeros(1)}
    torch.save(state, tmp_path / "lite0.pth")
    options = {"weights": str(tmp_path / "lite0.pth"), "device": "cpu", "precision": "fp32"}
    image, motion = load_backbone("lite0", **options), load_backbone("lite0-motion", **options)
    assert motion.facts == image.facts | {"backbone": "lite0-motion"}
    frames = np.random.default_rng(0).integers(0, 256, (8, 224, 224, 3), np.uint8)
    alone, together = image.features(frames), motion.features(frames[None])
    expected = np.concatenate([alone.mean(0), alone.std(0), np.abs(np.diff(alone, axis=0)).mean(0)])
    np.testing.assert_allclose(together[0], expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def test_openvino_computes_the_same(tmp_path, monkeypatch):
    pytest.importorskip("openvino")
    monkeypatch.setenv("AQA_HOME", str(tmp_path))
    clips = np.random.default_rng(0).integers(0, 256, (2, 8, 14, 14, 3), np.uint8).repeat(16, 2).repeat(16, 3)
    eager, fast = (
        load_backbone(
            "lite0-motion", weights="random:0", device="cpu", precision="fp32", runtime=runtime
        ).features(clips)
        for runtime in ("eager", "openvino")
    )
    assert np.linalg.norm(fast - eager) < 1e-3 * np.linalg.norm(eager)


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        (
            "i3d-motion",
            AqaError,
            "i3d-motion: -motion is for backbones that take an image, and i3d takes a clip",
        ),
        ("resnet55-motion", UnknownName, "unknown backbone 'resnet55'. Did you mean 'resnet50'"),
    ],
)
def test_there_is_no_motion_of_other_backbones(name, error, message):
    with pytest.raises(error, match=message):
        get_backbone(name)


def test_the_motion_of_a_plug_in_is_the_plug_ins(monkeypatch):
    monkeypatch.setattr(BACKBONES, "origin", lambda name: f"plug-in of {name}")
    assert backbone_origin("lite0-motion") == backbone_origin("lite0") == "plug-in of lite0"
    with pytest.raises(AqaError):
        motion_of(motion_of(BACKBONES["lite0"]))
