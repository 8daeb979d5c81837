"""Every backbone in the registry is complete, builds, and gives useful features."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models import get_model
from torchvision.models.feature_extraction import create_feature_extractor

from aqa_pipeline.backbones import BACKBONES, get_backbone
from aqa_pipeline.backbones.backbone import by_name
from aqa_pipeline.backbones.preprocess import PREPROCESS
from aqa_pipeline.errors import AqaError, UnknownName, WeightsError
from aqa_pipeline.weights import WEIGHTS
from extract.runtimes.load_backbone import load_backbone

FAST = ("resnet18", "efficientnet_b0", "swin_t")


def batch_for(name, size=2, seed=0):
    """Return coarse random mosaics, which change slowly in space and time as videos do."""
    frames = BACKBONES[name].frames_per_clip
    coarse = (size, 14, 14, 3) if frames is None else (size, frames // 4, 14, 14, 3)
    batch = np.random.default_rng(seed).integers(0, 256, coarse, np.uint8).repeat(16, -2).repeat(16, -3)
    return batch if frames is None else batch.repeat(4, 1)


@pytest.mark.parametrize("name", BACKBONES)
def test_every_entry_is_whole(name):
    backbone = get_backbone(name)
    assert backbone.name == name
    assert backbone.weights in WEIGHTS
    assert WEIGHTS[backbone.weights].license
    assert backbone.preprocess.keys() == {"paper", "released"}
    assert len({PREPROCESS[preprocess].size for preprocess in backbone.preprocess.values()}) == 1
    assert backbone.source
    assert backbone.feature_size > 0
    assert backbone.cost.gflops > 0
    assert backbone.cost.num_parameters > 0


def test_every_backbone_has_weights_of_its_own():
    """Only `i3d-tsa-net` shares weights: it is the trunk of `i3d-piergiaj` with another preprocessing."""
    shared = {name for name, backbone in BACKBONES.items() if backbone.weights == "i3d-kinetics-piergiaj"}
    assert shared == {"i3d-piergiaj", "i3d-tsa-net"}
    assert len({backbone.weights for backbone in BACKBONES.values()}) == len(BACKBONES) - 1


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UnknownName, match=r"unknown backbone 'resnet55'. Did you mean 'resnet50'.*i3d, "):
        get_backbone("resnet55")


def test_a_name_may_not_be_given_twice():
    with pytest.raises(ValueError, match="'i3d' is registered twice"):
        by_name([BACKBONES["i3d"], BACKBONES["i3d"]])


def test_the_dict_needs_no_torch():
    code = "import aqa_pipeline.backbones, sys; sys.exit(bool({'torch', 'cv2', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", ["i3d", *FAST])
def test_random_weights_give_useful_features(name):
    loaded = load_backbone(name, weights="random:3", device="cpu", precision="fp32")
    one, other = batch_for(name, 1), batch_for(name, 1, seed=1)
    other[..., :112, :] = 255  # half white
    features = loaded.features(np.concatenate([one, other]))
    assert features.shape == (2, loaded.backbone.feature_size)
    assert features.dtype == np.float32
    assert 0.1 < features.std() < 100
    assert np.abs(features[0] - features[1]).mean() > 0.01 * features.std()


@pytest.mark.parametrize("name", ["resnet18", "efficientnet_b0"])
def test_a_seed_decides_every_bit_and_leaves_the_global_generator_alone(name):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, again, other = (
        load_backbone(name, weights=f"random:{seed}", device="cpu", precision="fp32").network.state_dict()
        for seed in (1, 1, 2)
    )
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)


def test_a_batch_is_its_pictures_one_by_one():
    loaded = load_backbone("resnet18", weights="random:0", device="cpu", precision="fp32")
    batch = batch_for("resnet18", 3)
    alone = np.concatenate([loaded.features(batch[i : i + 1]) for i in range(3)])
    np.testing.assert_allclose(loaded.features(batch), alone, rtol=1e-4, atol=1e-5)  # sums in another order


def test_random_batch_normalization_does_nothing():
    network = load_backbone("resnet18", weights="random:1", device="cpu", precision="fp32").network
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert torch.all(module.weight == 1)
            assert torch.all(module.bias == 0)
            assert torch.all(module.running_mean == 0)
            assert torch.all(module.running_var == 1)


@pytest.mark.parametrize(
    ("name", "node"), [("resnet50", "flatten"), ("efficientnet_b0", "flatten"), ("swin_t", "flatten")]
)
def test_image_features_are_what_torchvision_feeds_its_last_layer(tmp_path, name, node):
    torch.manual_seed(0)
    whole = get_model(name, weights=None).eval()
    torch.save(whole.state_dict(), tmp_path / "net.pth")
    loaded = load_backbone(name, weights=str(tmp_path / "net.pth"), device="cpu", precision="fp32")
    batch = batch_for(name)
    pictures = torch.from_numpy(batch).permute(0, 3, 1, 2) / 127.5 - 1  # mean = std = 0.5
    with torch.inference_mode():
        expected = create_feature_extractor(whole, {node: "feature"})(pictures)["feature"].numpy()
    np.testing.assert_allclose(loaded.features(batch), expected, rtol=1e-4, atol=1e-5)
    assert loaded.weights_id.startswith("sha256:")
    assert len(loaded.weights_id) == 71


def test_another_preprocessing_changes_the_normalization():
    batch = batch_for("resnet18")
    plain, imagenet = (
        load_backbone("resnet18", weights="random:0", device="cpu", precision="fp32", preprocess=preprocess)
        for preprocess in (None, "imagenet")
    )
    expected = {
        "backbone": "resnet18",
        "weights": "random:0",
        "preprocess": "squash-224",
        "precision": "fp32",
    }
    assert plain.facts == expected
    assert imagenet.facts["preprocess"] == "imagenet"
    mean, std = np.array((0.485, 0.456, 0.406)), np.array((0.229, 0.224, 0.225))
    pictures = torch.from_numpy(((batch / 255 - mean) / std).astype(np.float32)).permute(0, 3, 1, 2)
    with torch.inference_mode():
        expected = imagenet.network(pictures).numpy()
    np.testing.assert_allclose(imagenet.features(batch), expected, rtol=1e-4, atol=1e-4)
    assert not np.allclose(plain.features(batch), expected, rtol=1e-2)


@pytest.mark.usefixtures("bf16")
def test_bf16_runs_and_stays_near():
    name = "resnet18"
    exact, coarse = (
        load_backbone(name, weights="random:0", device="cpu", precision=precision).features(
            batch_for(name, 1)
        )
        for precision in ("fp32", "bf16")
    )
    assert coarse.dtype == np.float32
    assert 0 < np.abs(coarse - exact).mean() < 0.05 * np.abs(exact).mean()


def test_fp16_on_a_cpu_is_refused():
    with pytest.raises(AqaError, match="fp16 needs a GPU: on a CPU use fp32, or bf16"):
        load_backbone("resnet18", weights="random:0", device="cpu", precision="fp16")


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
def test_a_missing_gpu_is_refused():
    with pytest.raises(AqaError, match="no CUDA device on this machine for 'cuda:0': use the device cpu"):
        load_backbone("resnet18", weights="random:0", device="cuda:0", precision="fp32")


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("official", "weights 'resnet18-imagenet-v1' are not on this machine.*`aqa weights fetch resnet18"),
        ("random", "random weights need a seed of up to 9 digits, as in random:0"),
        ("random:x", "random weights need a seed"),
        ("/no/such/file.pt", "no checkpoint at /no/such/file.pt"),
    ],
)
def test_missing_weights_are_refused(weights, message, tmp_path, monkeypatch):
    monkeypatch.setenv("AQA_HOME", str(tmp_path))
    with pytest.raises(WeightsError, match=message):
        load_backbone("resnet18", weights=weights, device="cpu", precision="fp32")


def test_a_preprocessing_of_another_size_is_refused():
    with pytest.raises(
        AqaError, match=r"'squash-224' makes pictures of 224x224, backbone 'c3d' takes 112x112"
    ):
        load_backbone("c3d", weights="random:0", device="cpu", precision="fp32", preprocess="squash-224")


def test_an_unknown_device_is_refused():
    with pytest.raises(AqaError, match="'gpu' is no device: expected cpu, cuda or cuda:N"):
        load_backbone("resnet18", weights="random:0", device="gpu", precision="fp32")


@pytest.mark.parametrize(
    "batch",
    [np.zeros((1, 224, 224, 3), np.float32), np.zeros((1, 3, 224, 224), np.uint8),
     np.zeros((0, 224, 224, 3), np.uint8)],
)  # fmt: skip
def test_a_batch_of_another_kind_is_refused(batch):
    loaded = load_backbone("resnet18", weights="random:0", device="cpu", precision="fp32")
    with pytest.raises(ValueError, match=r"resnet18 takes uint8 batches of shape \(batch, 224, 224, 3\)"):
        loaded.features(batch)


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_a_gpu_gives_the_same_features(precision):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    on_cpu, on_gpu = (
        load_backbone("i3d", weights="random:0", device=device, precision=p).features(batch_for("i3d", 1))
        for device, p in (("cpu", "fp32"), ("cuda", precision))
    )
    error = np.abs(on_gpu - on_cpu).mean() / np.abs(on_cpu).mean()
    assert error < (1e-4 if precision == "fp32" else 5e-2)
