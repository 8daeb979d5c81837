"""R(2+1)D-34 and Hara's networks have the original code's outputs, names and sizes."""

import re

import pytest
import torch
from torch import nn

from aqa_pipeline.backbones import BACKBONES
from aqa_pipeline.backbones.networks.video_resnet import build_ig65m
from extract.runtimes.load_backbone import load_backbone

# Parameters without fc, and entries of the checkpoint: Hara's with fc for 700 classes.
HARA = {
    "r3d_34_hara": (63_513_536, 218),
    "r3d_50_hara": (46_198_976, 320),
    "r3d_101_hara": (85_245_120, 626),
    "r2plus1d_34_hara": (63_542_300, 416),
    "r2plus1d_50_hara": (46_215_782, 422),
}
# IG-65M's parameters with a classifier of so many classes.
IG65M = {400: 63_697_175, 487: 63_741_806, 359: 63_676_142}


def hara_name(ours, names):
    """Return Hara's name for torchvision's: conv2.0.3.weight -> conv2_t.weight; `names` are all names."""
    stem_split = {"0": "conv1_s", "1": "bn1_s", "3": "conv1_t", "4": "bn1_t"}
    stem, split = (
        {"0": "conv1", "1": "bn1"},
        {"0.0": "conv{}_s", "0.1": "bn{}_s", "0.3": "conv{}_t", "1": "bn{}_t"},
    )
    if ours.startswith("stem."):
        _, place, parameter = ours.split(".")
        return f"{(stem_split if 'stem.3.weight' in names else stem)[place]}.{parameter}"
    unit = re.fullmatch(r"(layer\d\.\d+)\.conv(\d)\.(0\.0|0\.1|0\.3|0|1)\.(\w+)", ours)
    if unit is None:  # a shortcut
        return ours
    block, number, place, parameter = unit.groups()
    is_split = f"{block}.conv{number}.0.3.weight" in names
    part = (split if is_split else {"0": "conv{}", "1": "bn{}"})[place]
    return f"{block}.{part.format(number)}.{parameter}"


def shapes_of(build):
    with torch.device("meta"):
        return {name: value.shape for name, value in build().state_dict().items()}


@torch.inference_mode()
@pytest.mark.usefixtures("weightless")
def test_ig65m_is_the_original(golden):
    network = golden.give_weights(build_ig65m())
    golden.check(network(golden.clip(8, 112)), "r2plus1d_34_ig65m_T8_pool")


@torch.inference_mode()
@pytest.mark.usefixtures("weightless")
@pytest.mark.parametrize(
    ("entry", "name"),
    [
        ("hara_r3d34_T16_pool", "r3d_34_hara"),
        ("hara_r3d50_T16_pool", "r3d_50_hara"),
        ("hara_r2p1d50_T16_pool", "r2plus1d_50_hara"),
    ],
)
def test_haras_nets_are_the_original(golden, entry, name):
    network = BACKBONES[name].build()
    names = set(network.state_dict())
    golden.give_weights(network, lambda ours: hara_name(ours, names))
    golden.check(network(golden.clip(16, 112)), entry)


def test_ig65m_has_the_official_names_widths_and_size():
    with torch.device("meta"):
        network = build_ig65m()
    state = network.state_dict()
    assert len(state) == 416 - 2  # fc is cut off
    num_parameters = sum(value.numel() for value in network.parameters())
    assert {classes: num_parameters + 513 * classes for classes in IG65M} == IG65M
    widths = [state[f"layer{i}.0.conv{j}.0.0.weight"].shape[0] for i in range(1, 5) for j in (1, 2)]
    assert widths == [144, 144, 230, 288, 460, 576, 921, 1152]
    assert state["stem.0.weight"].shape == (45, 3, 1, 7, 7)
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm3d)]
    assert {(norm.eps, norm.momentum) for norm in norms} == {(1e-3, 0.9)}  # Caffe2's


@pytest.mark.usefixtures("weightless")
@pytest.mark.parametrize(("num_frames", "classes"), [(8, 400), (32, 359)])
def test_files_of_ig65m_load_strictly_whatever_their_classes(tmp_path, marked_state, num_frames, classes):
    state = marked_state(shapes_of(build_ig65m))
    classifier = {"fc.weight": torch.ones(classes, 512), "fc.bias": torch.ones(classes)}
    torch.save(state | classifier, tmp_path / "ig65m.pth")
    loaded = load_backbone(
        f"r2plus1d_34_ig65m_{num_frames}",
        weights=str(tmp_path / "ig65m.pth"),
        device="cpu",
        precision="fp32",
    )
    ours = loaded.network.state_dict()
    assert all(torch.equal(value, ours[name]) for name, value in state.items())


@pytest.mark.usefixtures("weightless")
@pytest.mark.parametrize("name", HARA)
def test_haras_files_load_strictly(tmp_path, marked_state, name):
    num_parameters, num_entries = HARA[name]
    shapes = shapes_of(BACKBONES[name].build)
    buffers = ("running_mean", "running_var", "num_batches_tracked")
    assert sum(s.numel() for key, s in shapes.items() if not key.endswith(buffers)) == num_parameters
    state = marked_state(shapes)
    renamed = {hara_name(key, set(state)): value for key, value in state.items()}
    renamed |= {"fc.weight": torch.ones(700, 1), "fc.bias": torch.ones(700)}
    assert len(renamed) == num_entries
    assert ("conv1_s.weight" in renamed) == ("plus1d" in name)
    wrapped = {"epoch": 200, "arch": name, "state_dict": {f"module.{key}": v for key, v in renamed.items()}}
    torch.save(wrapped, tmp_path / "hara.pth")
    loaded = load_backbone(name, weights=str(tmp_path / "hara.pth"), device="cpu", precision="fp32")
    ours = loaded.network.state_dict()
    assert all(torch.equal(value, ours[key]) for key, value in state.items())
