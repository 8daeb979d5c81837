"""pytorchvideo's networks, features and files are those of its hub functions, called without weights."""

import sys
import warnings

import pytest
import torch

from aqa_pipeline.backbones import BACKBONES
from aqa_pipeline.backbones.entries.pytorchvideo import PYTORCHVIDEO
from aqa_pipeline.errors import AqaError
from aqa_pipeline.weights import WEIGHTS
from extract.runtimes.load_backbone import load_backbone

NAMES = [backbone.name for backbone in PYTORCHVIDEO]
CONVOLUTIONAL = [name for name in NAMES if not name.startswith("mvit")]


@pytest.fixture(scope="module")
def hub():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it uses torch.jit, which is deprecated
        return pytest.importorskip("pytorchvideo.models.hub", reason="needs the extra `pytorchvideo`")


def head_of(network):
    return network.head if hasattr(network, "head") else network.blocks[-1]


@pytest.mark.parametrize("name", NAMES)
def test_files_of_the_zoo_load_strictly(hub, tmp_path, weightless, marked_state, name):
    shapes = {key: value.shape for key, value in getattr(hub, name)(pretrained=False).state_dict().items()}
    state = marked_state(shapes)
    torch.save({"model_state": state, "optimizer_state": {"lr": 0.1}}, tmp_path / "zoo.pyth")
    loaded = load_backbone(name, weights=str(tmp_path / "zoo.pyth"), device="cpu", precision="fp32")
    ours = loaded.network.state_dict()
    classifier = {
        f"{BACKBONES[name].checkpoint.unused[0]}weight",
        f"{BACKBONES[name].checkpoint.unused[0]}bias",
    }
    assert set(state) == set(ours) | classifier
    assert all(torch.equal(value, state[key]) for key, value in ours.items())


def test_the_hub_publishes_the_same_urls(hub):
    paths = hub.resnet.checkpoint_paths | hub.slowfast.checkpoint_paths | hub.x3d.checkpoint_paths
    paths |= hub.csn.checkpoint_paths | hub.vision_transformers.checkpoint_paths
    assert {name: WEIGHTS[BACKBONES[name].weights].urls for name in NAMES} == {
        name: (paths[name],) for name in NAMES
    }


@torch.inference_mode()
@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_the_classifier_makes_the_hubs_output_of_our_features(hub, quick_build, global_windows, name):
    whole = quick_build(lambda: getattr(hub, name)(pretrained=False))
    ours = quick_build(BACKBONES[name].build)
    kept = {
        key: v
        for key, v in whole.state_dict().items()
        if not key.startswith(BACKBONES[name].checkpoint.unused)
    }
    ours.load_state_dict(kept)
    num_frames = BACKBONES[name].frames_per_clip
    clip = torch.randn(1, 3, num_frames, 32, 32, generator=torch.Generator().manual_seed(1))
    slow = torch.tensor([0, 4, 8, 13, 17, 22, 26, 31])
    with global_windows(whole), global_windows(ours):
        features = ours(clip)
        expected = whole([clip[:, :, slow], clip] if name == "slowfast_r50" else clip)
    head = head_of(whole)
    scores = head.proj(features)
    classified = scores if head.activation is None else scores.softmax(1)
    torch.testing.assert_close(classified, expected, rtol=1e-4, atol=1e-4)
    assert expected.std() > 0


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.delitem(sys.modules, "aqa_pipeline.backbones.networks.pytorchvideo", raising=False)
    monkeypatch.setitem(sys.modules, "pytorchvideo.models.csn", None)
    monkeypatch.setitem(sys.modules, "pytorchvideo", None)
    with pytest.raises(AqaError, match=r"'x3d_s' needs pytorchvideo.*pip install .*\[pytorchvideo\]"):
        load_backbone("x3d_s", weights="random:0", device="cpu", precision="fp32")
