"""C3D gives the original port's outputs, and loads checkpoints with both namings."""

import pytest
import torch

from aqa_pipeline.backbones.networks.c3d import C3D
from aqa_pipeline.errors import WeightsError
from extract.runtimes.load_backbone import load_backbone

CONVOLUTIONS = {
    "conv1": (64, 3),
    "conv2": (128, 64),
    "conv3a": (256, 128),
    "conv3b": (256, 256),
    "conv4a": (512, 256),
    "conv4b": (512, 512),
    "conv5a": (512, 512),
    "conv5b": (512, 512),
}
CLASSIFIER = {"fc7": (4096, 4096), "fc8": (487, 4096)}


def official_shapes():
    """Return the network of the file c3d.pickle, with its Sports-1M classifier."""
    kernels = {name: (*channels, 3, 3, 3) for name, channels in CONVOLUTIONS.items()}
    kernels |= {"fc6": (4096, 8192)} | CLASSIFIER
    shapes = {f"{name}.weight": shape for name, shape in kernels.items()}
    return shapes | {f"{name}.bias": shape[:1] for name, shape in kernels.items()}


def mmaction2_name(ours):
    layer, _, parameter = ours.partition(".")
    if layer.startswith("fc"):
        return ours
    letter = "a" if layer in ("conv1", "conv2") else ""
    return f"{layer}{letter}.conv.{parameter}"


@torch.inference_mode()
@pytest.mark.usefixtures("weightless")
def test_pool5_and_fc6_are_those_of_the_original(golden):
    network, clip = golden.give_weights(C3D()), golden.clip(16, 112)
    golden.check(network.pool5(clip), "c3d_pool5")
    golden.check(network(clip), "c3d_fc6")


def test_with_the_classifier_it_has_the_official_names_shapes_and_size():
    shapes = official_shapes()
    assert sum(torch.Size(shape).numel() for shape in shapes.values()) == 79_991_015
    with torch.device("meta"):
        ours = {name: tuple(value.shape) for name, value in C3D().state_dict().items()}
    assert ours == {name: shape for name, shape in shapes.items() if name[:3] not in ("fc7", "fc8")}


@pytest.mark.parametrize("naming", ["davidea", "mmaction2"])
@pytest.mark.usefixtures("weightless")
def test_files_of_both_namings_load_strictly(tmp_path, naming, marked_state):
    state = marked_state(official_shapes())
    renamed = state
    if naming == "mmaction2":  # no fc8: 77,995,776 parameters
        renamed = {mmaction2_name(name): value for name, value in state.items() if name[:3] != "fc8"}
        assert sum(value.numel() for value in renamed.values()) == 77_995_776
        assert "conv1a.conv.weight" in renamed
    torch.save(renamed, tmp_path / "c3d.pickle")
    loaded = load_backbone("c3d", weights=str(tmp_path / "c3d.pickle"), device="cpu", precision="fp32")
    ours = loaded.network.state_dict()
    assert len(ours) == 18
    assert all(torch.equal(value, state[name]) for name, value in ours.items())


@pytest.mark.usefixtures("weightless")
def test_a_file_without_fc6_is_refused(tmp_path, marked_state):
    state = marked_state(official_shapes())
    del state["fc6.bias"]
    torch.save(state, tmp_path / "c3d.pickle")
    with pytest.raises(WeightsError, match=r"does not fit the backbone 'c3d': .*fc6\.bias"):
        load_backbone("c3d", weights=str(tmp_path / "c3d.pickle"), device="cpu", precision="fp32")
