"""EfficientNet-Lite gives the original's outputs with the original's weights."""

import importlib.util
import json
import re
from itertools import islice

import av
import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from aqa_pipeline.backbones import BACKBONES
from aqa_pipeline.backbones.networks.efficientnet_lite import SameConv2d
from aqa_pipeline.errors import WeightsError
from aqa_pipeline.weights import WEIGHTS, find_weights, load_state_dict, missing_weights
from extract.runtimes.load_backbone import load_backbone

NAMES = {"lite0": 224, "lite1": 240, "lite2": 260}
TOLERANCE = 1e-5  # the port's own code and ours differ by nothing; the order of sums differs between CPUs
FRAMES = ("weightlifting_40", "football_juggling_180", "arm_wrestling_100", "basketball_200")


@pytest.fixture(scope="module")
def goldens(shared):
    return json.loads((shared / "golden" / "efficientnet_lite_golden.json").read_text())


@pytest.fixture(scope="module")
def noise(shared):
    """Return a function that makes the noise image of a size, (1, 3, size, size)."""
    spec = importlib.util.spec_from_file_location("golden_inputs", shared / "golden" / "golden_inputs.py")
    inputs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(inputs)
    return lambda size: torch.from_numpy(inputs.clip(1, size))[:, :, 0]


def load(name):
    if missing_weights([name]):
        pytest.skip(f"no weights {name}: run `aqa weights fetch {name}`")
    return load_backbone(name, weights="official", device="cpu", precision="fp32")


def check_pooled(pooled, golden):
    assert pooled.shape == (1, 1280)
    assert pooled.sum() == pytest.approx(golden["pool_sum"], rel=TOLERANCE)
    np.testing.assert_allclose(pooled[0, :6], golden["pool_first"], rtol=TOLERANCE, atol=TOLERANCE)


@torch.inference_mode()
@pytest.mark.parametrize("name", NAMES)
def test_maps_features_and_classes_are_those_of_the_original(name, goldens, noise):
    loaded, golden, image = load(name), goldens[name], noise(NAMES[name])
    assert list(loaded.network.maps(image).shape) == golden["map"]
    pooled = loaded.network(image)
    check_pooled(pooled.double().numpy(), golden)
    state = load_state_dict(find_weights(name))
    logits = pooled @ state["_fc.weight"].T + state["_fc.bias"]
    np.testing.assert_allclose(logits[0, :6], golden["logits_first"], rtol=TOLERANCE, atol=TOLERANCE)
    assert logits.argmax() == golden["argmax"]


@torch.inference_mode()
@pytest.mark.parametrize("frame", FRAMES)
def test_features_of_real_frames_are_those_of_the_original(frame, goldens, shared):
    clip, _, index = frame.rpartition("_")
    picture = decoded(shared / "clips" / f"{clip}.mp4", int(index))
    pixels = torch.from_numpy(picture).permute(2, 0, 1)[None].float()
    squashed = interpolate(pixels, (224, 224), mode="bilinear", antialias=True)
    pooled = load("lite0").network(squashed / 127.5 - 1)
    check_pooled(pooled.double().numpy(), goldens[f"lite0_{frame}"])


def decoded(path, index):
    """Return the frame of that index, (height, width, 3), without the corrections of our own readers."""
    with av.open(str(path)) as container:
        return next(islice(container.decode(video=0), index, None)).to_ndarray(format="rgb24")


@pytest.mark.parametrize("name", NAMES)
def test_a_whole_network_has_the_published_number_of_parameters(name):
    published = {"lite0": 4_652_008, "lite1": 5_416_680, "lite2": 6_092_072}
    assert BACKBONES[name].cost.num_parameters + 1280 * 1000 + 1000 == published[name]


@pytest.mark.parametrize(
    ("size", "kernel", "stride"), [(8, 3, 2), (9, 3, 2), (8, 5, 2), (9, 5, 2), (8, 5, 1)]
)
def test_the_padding_is_that_of_tensorflow(size, kernel, stride):
    """Output i covers the inputs from i * stride - (number of zeros before) on."""
    convolution = SameConv2d(1, 1, kernel, stride=stride, bias=False)
    torch.nn.init.ones_(convolution.weight)
    row = torch.arange(1.0, size + 1)
    given = convolution(row.expand(1, 1, size, size))
    num_outputs = -(-size // stride)
    before = max((num_outputs - 1) * stride + kernel - size, 0) // 2
    padded = np.pad(row.numpy(), (before, kernel))
    expected = [padded[at * stride : at * stride + kernel].sum() for at in range(num_outputs)]
    middle = given[0, 0, num_outputs // 2].detach().numpy()
    np.testing.assert_allclose(middle / middle[0], np.array(expected) / expected[0])


@pytest.mark.usefixtures("weightless")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda state: state.pop("_conv_head.weight"),
            r"does not fit the backbone 'lite0': .*conv_head\.weight",
        ),
        (lambda state: state.update({"_se.weight": torch.zeros(1)}), r"does not fit .*se\.weight"),
    ],
    ids=["missing", "strange"],
)
def test_another_file_is_refused(tmp_path, change, message):
    state = official_state()
    change(state)
    torch.save(state, tmp_path / "lite0.pth")
    with pytest.raises(WeightsError, match=message):
        load_backbone("lite0", weights=str(tmp_path / "lite0.pth"), device="cpu", precision="fp32")


def official_state():
    """Return tensors under the official names, such as `_blocks.0._bn1.weight`."""
    state = BACKBONES["lite0"].build().state_dict()
    named = {
        re.sub(r"\b(conv_|bn|blocks|expand_|depthwise_|project_)", r"_\1", name): v
        for name, v in state.items()
    }
    return named | {"_fc.weight": torch.zeros(2, 1280), "_fc.bias": torch.zeros(2)}


def test_every_entry_has_its_own_weights_of_a_package():
    assert all(WEIGHTS[BACKBONES[name].weights].package for name in NAMES)
