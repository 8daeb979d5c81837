"""SiamMask's layers have the official sizes and follow naive formulas; its weights load from every source."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from aqa_pipeline.errors import UnknownName, WeightsError
from extract.trackers import load_tracker
from extract.trackers.siammask.loading import load_network
from extract.trackers.siammask.network import SiamMask, stack_kernels
from extract.trackers.siammask.refinement import MaskRefinement, _windows

PARAMETERS = {
    "features.features": 13_786_176,
    "features.downsample": 262_656,
    "rpn_model.cls": 1_249_290,
    "rpn_model.loc": 1_251_860,
    "mask_model.mask": 2_266_753,
    "refine_model": 2_665_317,
}
SHAPES = {
    "features.features.conv1.weight": (64, 3, 7, 7),
    "features.features.layer1.0.downsample.0.weight": (256, 64, 1, 1),
    "features.features.layer2.0.downsample.0.weight": (512, 256, 3, 3),
    "features.features.layer3.0.downsample.0.weight": (1024, 512, 3, 3),
    "features.features.layer3.5.bn3.running_var": (1024,),
    "features.downsample.downsample.0.weight": (256, 1024, 1, 1),
    "rpn_model.cls.head.3.bias": (10,),
    "rpn_model.loc.conv_kernel.0.weight": (256, 256, 3, 3),
    "rpn_model.loc.head.3.weight": (20, 256, 1, 1),
    "mask_model.mask.conv_search.1.running_mean": (256,),
    "mask_model.mask.head.3.weight": (3969, 256, 1, 1),
    "refine_model.v1.2.weight": (16, 64, 3, 3),
    "refine_model.h0.0.bias": (4,),
    "refine_model.deconv.weight": (256, 32, 15, 15),
    "refine_model.post2.weight": (1, 4, 3, 3),
}


@pytest.fixture(scope="module", autouse=True)
def inference():
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def random_tracker():
    return load_tracker("siammask:vot", device="cpu", weights="random:3")


@pytest.fixture(scope="module")
def network(random_tracker):
    return random_tracker.network


def pictures(batch, size, seed=0):
    return torch.rand(batch, 3, size, size, generator=torch.Generator().manual_seed(seed)) * 255


def test_the_state_has_the_official_names_and_sizes(network):
    state = network.state_dict()
    assert len(state) == 356
    assert sum(value.numel() * value.element_size() for value in state.values()) == 86_071_480
    for part, count in PARAMETERS.items():
        assert sum(value.numel() for value in network.get_submodule(part).parameters()) == count
    assert sum(PARAMETERS.values()) == 21_482_052
    for name, shape in SHAPES.items():
        assert tuple(state[name].shape) == shape


def test_maps_have_the_sizes_of_the_table(network):
    maps = network.features.features(pictures(1, 127))
    assert [tuple(each.shape[1:]) for each in maps] == [
        (64, 61, 61),
        (256, 31, 31),
        (512, 15, 15),
        (1024, 15, 15),
    ]
    kernels = network.template(pictures(2, 127))
    result = network.search(kernels, pictures(2, 255, seed=1))
    assert kernels.cls.shape == kernels.loc.shape == kernels.mask.shape == (2, 256, 5, 5)
    assert [each.shape[2] for each in result.maps] == [125, 63, 31, 31]
    assert result.cls.shape == (2, 10, 25, 25)
    assert result.loc.shape == (2, 20, 25, 25)
    assert result.correlation.shape == (2, 256, 25, 25)
    assert network.masks(result, [(0, 0), (24, 24)]).shape == (2, 127, 127)


def test_each_channel_of_each_picture_is_correlated_with_its_own_kernel(network):
    branch = network.rpn_model["cls"]
    generator = torch.Generator().manual_seed(0)
    kernels = torch.randn(2, 256, 5, 5, generator=generator)
    features = torch.randn(2, 256, 31, 31, generator=generator)
    found = branch.correlate(kernels, features)
    search = branch.conv_search(features)
    for picture, channel, row, column in [(0, 0, 0, 0), (1, 0, 24, 3), (0, 255, 7, 24), (1, 128, 12, 12)]:
        window = search[picture, channel, row : row + 5, column : column + 5]
        expected = (window * kernels[picture, channel]).sum()
        torch.testing.assert_close(found[picture, channel, row, column], expected, rtol=1e-4, atol=1e-4)


def test_windows_are_cut_around_their_place_with_zeros_outside():
    padding = {1: 4, 2: 8, 4: 16}
    for stride, size, side in [(1, 15, 31), (2, 31, 63), (4, 61, 125)]:
        maps = torch.arange(1.0, 1 + 2 * side * side).reshape(2, 1, side, side)
        places = [(0, 24), (11, 5)]
        found = _windows(maps, places, stride=stride, size=size)
        padded = F.pad(maps, (padding[stride],) * 4)
        for at, (row, column) in enumerate(places):
            rows, columns = stride * row, stride * column
            expected = padded[at, :, rows : rows + size, columns : columns + size]
            assert torch.equal(found[at], expected)


def test_the_refinement_follows_its_formula():
    torch.manual_seed(0)
    refine = MaskRefinement().eval()
    maps = tuple(torch.randn(1, c, s, s) for c, s in [(64, 125), (256, 63), (512, 31), (1024, 31)])
    correlation = torch.randn(1, 256, 25, 25)
    row, column = 20, 2
    p0 = F.pad(maps[0], (16,) * 4)[:, :, 4 * row : 4 * row + 61, 4 * column : 4 * column + 61]
    p1 = F.pad(maps[1], (8,) * 4)[:, :, 2 * row : 2 * row + 31, 2 * column : 2 * column + 31]
    p2 = F.pad(maps[2], (4,) * 4)[:, :, row : row + 15, column : column + 15]
    out = refine.deconv(correlation[:, :, row, column].reshape(1, 256, 1, 1))
    out = refine.post0(F.interpolate(refine.h2(out) + refine.v2(p2), size=(31, 31), mode="nearest"))
    out = refine.post1(F.interpolate(refine.h1(out) + refine.v1(p1), size=(61, 61), mode="nearest"))
    out = refine.post2(F.interpolate(refine.h0(out) + refine.v0(p0), size=(127, 127), mode="nearest"))
    assert torch.equal(refine(maps, correlation, [(row, column)]), out[:, 0])


def test_stacked_kernels_keep_their_order(network):
    one, other = (network.template(pictures(1, 127, seed)) for seed in (0, 1))
    both = stack_kernels([one, other])
    assert torch.equal(both.mask, torch.cat([one.mask, other.mask]))


def test_random_weights_follow_their_seed_and_say_so(network, random_tracker):
    again = load_tracker("siammask:vot", device="cpu", weights="random:3")
    assert random_tracker.identity == again.identity == "siammask:vot random:3"
    mine, theirs = network.state_dict(), again.network.state_dict()
    assert all(torch.equal(mine[key], theirs[key]) for key in mine)
    with pytest.raises(WeightsError, match="random weights need a seed"):
        load_tracker("siammask", device="cpu", weights="random")


def save_official_look_alike(path, state, *, numpy_1):
    """Save a training state like the official files: legacy format, `module.` names, np.float64 rates."""
    momentum = {0: {"momentum_buffer": torch.zeros(3)}}
    groups = [{"lr": np.logspace(-2, -3, 3)[0], "momentum": 0.9, "params": [0]}]
    checkpoint = {
        "epoch": 20,
        "arch": "Custom",
        "state_dict": {f"module.{key}": value for key, value in state.items()},
        "best_acc": 0.0,
        "optimizer": {"state": momentum, "param_groups": groups},
        "anchor_cfg": {"stride": 8, "ratios": [0.33, 0.5, 1, 2, 3], "scales": [8], "round_dight": 0},
    }
    torch.save(checkpoint, path, _use_new_zipfile_serialization=False)
    if numpy_1:
        content = path.read_bytes()
        assert b"cnumpy._core.multiarray\n" in content
        path.write_bytes(content.replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n"))


@pytest.mark.parametrize("numpy_1", [True, False], ids=["NumPy 1", "NumPy 2"])
def test_official_training_states_load_strictly(tmp_path, network, numpy_1):
    save_official_look_alike(tmp_path / "SiamMask.pth", network.state_dict(), numpy_1=numpy_1)
    loaded = load_network(tmp_path / "SiamMask.pth").state_dict()
    state = network.state_dict()
    assert all(torch.equal(loaded[key], state[key]) for key in state)


def test_a_tracker_takes_a_file_and_names_its_digest(tmp_path, network):
    torch.save(network.state_dict(), tmp_path / "net.pth")
    tracker = load_tracker("siammask", device="cpu", weights=str(tmp_path / "net.pth"))
    assert tracker.name == "siammask:davis"
    assert tracker.identity.startswith("siammask:davis sha256:")


def test_other_networks_are_refused(tmp_path, network):
    pysot = {key.replace("features.features", "backbone"): v for key, v in network.state_dict().items()}
    torch.save(pysot, tmp_path / "pysot.pth")
    with pytest.raises(WeightsError, match=r"does not fit SiamMask.*features\.features\.conv1"):
        load_network(tmp_path / "pysot.pth")


def test_missing_weights_name_the_command(monkeypatch, tmp_path):
    monkeypatch.setenv("AQA_HOME", str(tmp_path))
    with pytest.raises(WeightsError, match="aqa weights fetch siammask-vot-ld"):
        load_tracker("siammask:vot-ld", device="cpu")


def test_unknown_trackers_and_settings_are_refused():
    with pytest.raises(UnknownName, match=r"unknown tracker 'siamask'. Did you mean 'siammask'"):
        load_tracker("siamask", device="cpu")
    with pytest.raises(UnknownName, match=r"unknown setting of siammask 'vot18'"):
        load_tracker("siammask:vot18", device="cpu")


def test_the_network_class_runs_as_one():
    cls, loc, masks = SiamMask().eval()(pictures(1, 127), pictures(1, 255))
    assert (cls.shape[1], loc.shape[1], masks.shape[1]) == (10, 20, 127)
