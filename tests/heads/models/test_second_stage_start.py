"""A second stage starts from the very checkpoint, or seed, that made the maps."""

from pathlib import Path

import pytest
import torch

from aqa_pipeline.backbones.networks.i3d import SecondStage
from aqa_pipeline.errors import WeightsError
from aqa_pipeline.records import StreamSpec
from aqa_pipeline.weights import sha256_of
from heads.models.second_stage_start import find_start
from heads.models.tsa_net import build_plain_net


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    torch.manual_seed(7)
    state = SecondStage(after="Mixed_4e").state_dict() | {"Conv3d_1a_7x7.conv3d.weight": torch.zeros(1)}
    torch.save(state, tmp_path / "i3d.pt")
    return tmp_path / "i3d.pt"


def test_random_maps_go_on_with_a_random_second_stage_of_their_seed() -> None:
    nets = [build_plain_net({"tubes": 528}) for _ in range(3)]
    state = torch.random.get_rng_state()
    for net, seed in zip(nets, (3, 3, 4), strict=True):
        find_start({"tubes": StreamSpec("tubes", {"weights": f"random:{seed}"})})(net)
    assert torch.equal(state, torch.random.get_rng_state())
    first, again, other = (net.second_stage.Mixed_4f.b0.conv3d.weight for net in nets)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_second_stage_is_that_of_the_very_checkpoint(checkpoint: Path) -> None:
    specs = {"tubes": StreamSpec("tubes", {"weights": f"sha256:{sha256_of(checkpoint)}"})}
    net = build_plain_net({"tubes": 528})
    find_start(specs, checkpoint)(net)
    for name, tensor in torch.load(checkpoint, weights_only=True).items():
        if not name.startswith("Conv3d_1a"):
            assert torch.equal(net.second_stage.state_dict()[name], tensor), name


def test_another_checkpoint_or_none_is_told_of(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AQA_HOME", str(tmp_path / "home"))
    specs = {"tubes": StreamSpec("tubes", {"weights": "sha256:" + 64 * "0"})}
    with pytest.raises(WeightsError, match=r"i3d\.pt has the SHA-256 .*features were made with 000"):
        find_start(specs, checkpoint)
    with pytest.raises(
        WeightsError, match=r"No I3D file on this machine has it.*aqa weights fetch i3d-kinetics-piergiaj"
    ):
        find_start(specs)
    with pytest.raises(WeightsError, match="there is no checkpoint at"):
        find_start(specs, tmp_path / "absent.pt")
    torch.save({"Mixed_4f.b0.conv3d.weight": torch.zeros(1)}, tmp_path / "small.pt")
    small = {"tubes": StreamSpec("tubes", {"weights": f"sha256:{sha256_of(tmp_path / 'small.pt')}"})}
    with pytest.raises(WeightsError, match="not the state of an Inception-I3D from Mixed_4f to Mixed_5c"):
        find_start(small, tmp_path / "small.pt")
