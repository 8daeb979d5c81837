"""Inception-I3D gives the original ports' outputs, and its pools those of PyTorch."""

import pytest
import torch
from torch.nn import functional as F

from aqa_pipeline.backbones import get_backbone
from aqa_pipeline.backbones.networks.i3d import (
    ENDPOINTS,
    FirstStage,
    InceptionI3d,
    SecondStage,
    pool_maps,
    run_stages,
)
from aqa_pipeline.backbones.networks.i3d_layers import separable_max_pool3d
from aqa_pipeline.backbones.networks.same_padding import same_padding
from aqa_pipeline.errors import UnknownName, WeightsError
from extract.runtimes.load_backbone import load_backbone

# The table of the architecture: output for 16x224x224, and number of parameters.
PARAMETERS = {
    "Conv3d_1a_7x7": ((64, 8, 112, 112), 65_984),
    "MaxPool3d_2a_3x3": ((64, 8, 56, 56), 0),
    "Conv3d_2b_1x1": ((64, 8, 56, 56), 4_224),
    "Conv3d_2c_3x3": ((192, 8, 56, 56), 332_160),
    "MaxPool3d_3a_3x3": ((192, 8, 28, 28), 0),
    "Mixed_3b": ((256, 8, 28, 28), 386_272),
    "Mixed_3c": ((480, 8, 28, 28), 837_888),
    "MaxPool3d_4a_3x3": ((480, 4, 14, 14), 0),
    "Mixed_4b": ((512, 4, 14, 14), 737_760),
    "Mixed_4c": ((512, 4, 14, 14), 904_464),
    "Mixed_4d": ((512, 4, 14, 14), 1_103_664),
    "Mixed_4e": ((528, 4, 14, 14), 1_356_672),
    "Mixed_4f": ((832, 4, 14, 14), 1_799_168),
    "MaxPool3d_5a_2x2": ((832, 2, 7, 7), 0),
    "Mixed_5b": ((832, 2, 7, 7), 1_974_272),
    "Mixed_5c": ((1024, 2, 7, 7), 2_784_736),
}
UNITS = {
    "b0": "branch_0",
    "b1a": "branch_1.0",
    "b1b": "branch_1.1",
    "b2a": "branch_2.0",
    "b2b": "branch_2.1",
    "b3b": "branch_3.1",
}


@pytest.fixture(scope="module", autouse=True)
def inference():
    with torch.inference_mode():
        yield


def features_from(network, endpoint, maps):
    """Return the features of maps that come after `endpoint`."""
    return pool_maps(run_stages(network, ENDPOINTS[ENDPOINTS.index(endpoint) + 1 :], maps))


def test_the_piergiaj_port(golden):
    network = golden.give_weights(InceptionI3d())
    maps = network.forward_to("Mixed_4e", golden.clip(16, 224))
    golden.check(maps, "i3d_piergiaj_T16_Mixed_4e")
    golden.check(features_from(network, "Mixed_4e", maps), "i3d_piergiaj_T16", [1, 1024])


def test_the_piergiaj_port_at_odd_sizes(golden):
    network = golden.give_weights(InceptionI3d())
    golden.check(network.forward_to("Mixed_3b", golden.clip(9, 181)), "i3d_piergiaj_T10_180(odd sizes)")


def test_the_hassony2_port(golden):
    network = golden.give_weights(get_backbone("i3d").build())
    golden.check(network(golden.clip(16, 224)), "i3d_hassony2_T16")


def test_the_two_paddings_agree_where_sizes_divide_and_not_elsewhere():
    torch.manual_seed(0)
    dynamic = InceptionI3d(padding="dynamic").eval()
    static = InceptionI3d(padding="static").eval()
    static.load_state_dict(dynamic.state_dict())
    whole, odd = torch.randn(1, 3, 16, 64, 64), torch.randn(1, 3, 9, 61, 61)
    assert torch.equal(dynamic(whole), static(whole))
    maps = [network.forward_to("Conv3d_1a_7x7", odd) for network in (dynamic, static)]
    assert maps[0].shape == (1, 64, 5, 31, 31)
    assert maps[1].shape == (1, 64, 4, 30, 30)


def test_the_state_has_the_official_names_and_shapes():
    network = InceptionI3d()
    state = network.state_dict()
    assert len(state) == 344
    assert sum(value.numel() for value in network.parameters()) == 12_697_264
    assert tuple(PARAMETERS) == ENDPOINTS
    for endpoint, (_, count) in PARAMETERS.items():
        assert sum(value.numel() for value in network.get_submodule(endpoint).parameters()) == count
    units = ["Conv3d_1a_7x7", "Conv3d_2b_1x1", "Conv3d_2c_3x3"]
    units += [f"{mixed}.{unit}" for mixed in ENDPOINTS if mixed.startswith("Mixed") for unit in UNITS]
    entries = ["conv3d.weight", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"]
    names = {f"{unit}.{entry}" for unit in units for entry in [*entries, "bn.num_batches_tracked"]}
    assert set(state) == names | {"logits.conv3d.weight", "logits.conv3d.bias"}
    assert state["logits.conv3d.weight"].shape == (400, 1024, 1, 1, 1)
    assert state["Mixed_4e.b2b.conv3d.weight"].shape == (64, 32, 3, 3, 3)


def test_every_endpoint_gives_the_map_of_the_table_and_leads_on_to_the_feature():
    torch.manual_seed(0)
    network = InceptionI3d().eval()
    maps = network.forward_to("MaxPool3d_3a_3x3", torch.randn(1, 3, 16, 224, 224))
    feature = features_from(network, "MaxPool3d_3a_3x3", maps)
    for endpoint in ENDPOINTS[ENDPOINTS.index("MaxPool3d_3a_3x3") + 1 :]:
        maps = network.get_submodule(endpoint)(maps)
        assert maps.shape[1:] == PARAMETERS[endpoint][0]
        if endpoint in ("Mixed_4e", "Mixed_5c"):
            assert torch.equal(features_from(network, endpoint, maps), feature)


@pytest.mark.parametrize("num_frames", [16, 24, 64])
def test_the_feature_is_the_mean_of_the_ports_pooling(num_frames):
    torch.manual_seed(0)
    maps = torch.randn(2, 1024, num_frames // 8, 7, 7)
    pooled = F.avg_pool3d(maps, (2, 7, 7), stride=1)
    expected = pooled.squeeze(4).squeeze(3).mean(2)
    ours = pool_maps(maps)
    torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("after", ["MaxPool3d_4a_3x3", "Mixed_4e"])
def test_both_stages_are_the_whole_network(after):
    torch.manual_seed(0)
    whole, clip = InceptionI3d().eval(), torch.randn(1, 3, 16, 64, 64)
    first, second = FirstStage(after=after).eval(), SecondStage(after=after).eval()
    for stage in (first, second):
        stage.load_checkpoint(whole.state_dict())
    assert not set(first.state_dict()) & set(second.state_dict())
    assert {*first.state_dict(), *second.state_dict(), "logits.conv3d.weight", "logits.conv3d.bias"} == set(
        whole.state_dict()
    )
    maps = first(clip)
    assert torch.equal(maps, whole.forward_to(after, clip))
    torch.testing.assert_close(second(maps), whole(clip))


def test_a_first_stage_refuses_other_states_and_ends():
    state = InceptionI3d().state_dict()
    del state["Conv3d_2b_1x1.bn.bias"]
    with pytest.raises(WeightsError, match=r"from Conv3d_1a_7x7 to Mixed_4e: missing \['Conv3d_2b_1x1.bn"):
        FirstStage(after="Mixed_4e").load_checkpoint(state)
    with pytest.raises(UnknownName, match="endpoint of I3D to go on from 'Mixed_5c'"):
        FirstStage(after="Mixed_5c")


def test_it_runs_in_bfloat16_on_a_cpu():
    torch.manual_seed(0)
    network, clip = InceptionI3d().eval(), torch.randn(1, 3, 16, 64, 64)
    exact = network(clip)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        coarse = network(clip)
    assert 0 < (coarse - exact).abs().mean() < 0.05 * exact.abs().mean()


def test_a_clip_too_short_for_the_last_pool_is_refused():
    with pytest.raises(ValueError, match="at least 9 frames: its last map has 1 time step"):
        InceptionI3d().eval()(torch.zeros(1, 3, 8, 32, 32))


@pytest.mark.parametrize("ceil_mode", [True, False])
@pytest.mark.parametrize("channels_last", [True, False])
@pytest.mark.parametrize(
    ("kernel", "stride"),
    [((1, 3, 3), (1, 2, 2)), ((3, 3, 3), (2, 2, 2)), ((2, 2, 2), (2, 2, 2)), ((3, 3, 3), (1, 1, 1))],
)
def test_the_separable_pool_is_the_pool_bit_for_bit(kernel, stride, channels_last, ceil_mode):
    generator = torch.Generator().manual_seed(0)
    for size in [(3, 3, 3), (4, 7, 8), (5, 6, 9), (8, 16, 17)]:
        x = torch.randn(2, 5, *size, generator=generator)
        if channels_last:
            x = x.contiguous(memory_format=torch.channels_last_3d)
        expected = F.max_pool3d(x, kernel, stride, ceil_mode=ceil_mode)
        assert torch.equal(separable_max_pool3d(x, kernel, stride, ceil_mode=ceil_mode), expected)


def test_pools_pad_with_zeros_not_with_the_lowest_number():
    pool = InceptionI3d().get_submodule("Mixed_3b.b3a")
    assert pool(torch.full((1, 1, 3, 3, 3), -1.0))[0, 0, 0, 0, 0] == 0
    assert pool(torch.full((1, 1, 3, 3, 3), -1.0))[0, 0, 1, 1, 1] == -1


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "dynamic", "static"),
    [(224, 7, 2, (2, 3), (2, 3)), (181, 7, 2, (3, 3), (2, 3)), (56, 3, 2, (0, 1), (0, 1)),
     (9, 3, 2, (1, 1), (0, 1)), (7, 2, 2, (0, 1), (0, 0)), (8, 3, 1, (1, 1), (1, 1))],
)  # fmt: skip
def test_padding_by_hand(size, kernel, stride, dynamic, static):
    assert same_padding(size, kernel, stride, "dynamic") == dynamic
    assert same_padding(size, kernel, stride, "static") == static


def hassony2_name(ours):
    """Return the port's name of an entry, written from the port's list of names."""
    if ours.startswith("logits"):
        return ours.replace("logits", "conv3d_0c_1x1")
    stage, _, rest = ours.partition(".")
    if stage.startswith("Mixed"):
        unit, _, rest = rest.partition(".")
        return f"{stage.lower()}.{UNITS[unit]}.{rest}".replace(".bn.", ".batch3d.")
    return f"{stage.lower()}.{rest}".replace(".bn.", ".batch3d.")


@pytest.mark.parametrize("counters", [True, False], ids=["counters", "torch 0.3"])
@pytest.mark.parametrize("port", ["hassony2", "piergiaj"])
def test_files_of_both_ports_load_strictly_into_both(tmp_path, port, counters):
    torch.manual_seed(1)
    state = {key: torch.rand_like(value.float()) for key, value in InceptionI3d().state_dict().items()}
    kept = {key: value for key, value in state.items() if counters or "num_batches" not in key}
    renamed = {hassony2_name(key): value for key, value in kept.items()} if port == "hassony2" else kept
    torch.save(renamed, tmp_path / "i3d.pt", _use_new_zipfile_serialization=False)
    for name in ("i3d", "i3d-piergiaj"):
        loaded = load_backbone(name, weights=str(tmp_path / "i3d.pt"), device="cpu", precision="fp32")
        ours = loaded.network.state_dict()
        assert all(torch.equal(ours[key], value) for key, value in kept.items() if "num_batches" not in key)


@pytest.mark.parametrize("damage", ["missing", "surplus", "shape"])
def test_a_file_that_does_not_fit_is_refused(tmp_path, damage):
    state = InceptionI3d().state_dict()
    if damage == "missing":
        del state["Mixed_4e.b0.bn.running_var"]
    elif damage == "surplus":
        state["Mixed_6a.b0.conv3d.weight"] = torch.zeros(1)
    else:
        state["logits.conv3d.bias"] = torch.zeros(157)
    torch.save(state, tmp_path / "i3d.pt")
    with pytest.raises(WeightsError, match=r"does not fit the backbone 'i3d': .*(Mixed_4e|Mixed_6a|logits)"):
        load_backbone("i3d", weights=str(tmp_path / "i3d.pt"), device="cpu", precision="fp32")
