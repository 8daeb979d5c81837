"""Random weights scale every layer, however a network calls its kernels."""

import pytest
import torch
from torch import nn

from aqa_pipeline.backbones.networks.i3d import InceptionI3d
from aqa_pipeline.backbones.random_weights import KERNELS, build_random

CLIP = (3, 16, 64, 64)


@pytest.fixture
def network() -> nn.Module:
    return build_random(lambda: InceptionI3d(bn_eps=1e-5, padding="dynamic"), seed=0, calibration_shape=CLIP)


def test_every_layer_of_i3d_that_runs_is_scaled_to_a_deviation_near_one(network: nn.Module) -> None:
    deviations: dict[str, float] = {}

    def note(name: str) -> object:
        return lambda module, inputs, output: deviations.__setitem__(name, output.std().item())

    kernels = {name: module for name, module in network.named_modules() if isinstance(module, KERNELS)}
    for name, module in kernels.items():
        module.register_forward_hook(note(name))  # type: ignore[arg-type]
    generator = torch.Generator().manual_seed(7)
    with torch.inference_mode():
        network(_slow_noise(generator))
    assert set(deviations) == set(kernels) - {"logits.conv3d"}  # the classifier does not run
    outside = {name: deviation for name, deviation in deviations.items() if not 0.25 < deviation < 4}
    assert not outside


def test_the_same_seed_gives_the_same_weights(network: nn.Module) -> None:
    again = build_random(lambda: InceptionI3d(bn_eps=1e-5, padding="dynamic"), seed=0, calibration_shape=CLIP)
    for (name, ours), (_, theirs) in zip(
        network.state_dict().items(), again.state_dict().items(), strict=True
    ):
        assert torch.equal(ours, theirs), name


def _slow_noise(generator: torch.Generator) -> torch.Tensor:
    """Return noise that changes slowly as pictures do, deviation 0.5."""
    coarse = torch.randn(1, 3, 2, 4, 4, generator=generator)
    noise = nn.functional.interpolate(coarse, size=CLIP[1:], mode="trilinear", align_corners=False)
    return noise * (0.5 / noise.std())
