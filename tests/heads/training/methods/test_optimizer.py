"""Groups of weights and their learning rates when backbone and head are trained together."""

from collections import Counter

import pytest
import torch
from torch import Tensor, nn

from aqa_pipeline.backbones.normalization import get_normalization
from heads.models.fine_tuned import FineTuned
from heads.models.weight_decider import build_weight_decider
from heads.recipes import FineTuning, Optimization
from heads.training.methods.optimizer import make_optimizer

RELEASED = Optimization("adam", lr=1e-5, head_lr=1e-4)


class Backbone(nn.Module):
    """Three layers with weights, a pool without, and a weight of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.position = nn.Parameter(torch.zeros(4))
        self.stem, self.layer1 = nn.Linear(3, 4), nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
        self.pool = nn.AdaptiveAvgPool3d(1)
        self.layer2 = nn.Linear(4, 4)

    def forward(self, clips: Tensor) -> Tensor:
        out: Tensor = self.layer2(self.layer1(self.stem(clips.mean(dim=(2, 3, 4))) + self.position))
        return out


def make(*, freeze_until: str = "") -> FineTuned:
    head = build_weight_decider({"pixels": 4})
    return FineTuned(Backbone(), head, normalization=get_normalization("imagenet"), freeze_until=freeze_until)


def tuning(**changes: object) -> FineTuning:
    values = {
        "frames_per_clip": 2,
        "clip_starts": (0,),
        "num_frames": 2,
        "crop": 8,
        "normalization": "imagenet",
        "backbone_lr": 1e-5,
    }
    return FineTuning(**(values | changes))


def rates(module: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, float]:
    """Return the learning rate of each weight by name; each is in one group."""
    names = {id(parameter): name for name, parameter in module.named_parameters()}
    found = [(names[id(each)], group["lr"]) for group in optimizer.param_groups for each in group["params"]]
    assert max(Counter(name for name, _ in found).values()) == 1
    assert all(group["initial_lr"] == group["lr"] for group in optimizer.param_groups)
    return dict(found)


def test_weight_decider_as_released() -> None:
    """Backbone and weight network learn at 1e-5, the layers around the sum at 1e-4."""
    module = make()
    found = rates(module, make_optimizer(module, RELEASED, tuning()))
    assert set(found) == {name for name, _ in module.named_parameters()}
    for name, rate in found.items():
        assert rate == (1e-4 if name.startswith("head.regressor.") else 1e-5), name
    optimizer = make_optimizer(module, RELEASED, tuning(backbone_lr=3e-6))
    assert [group["lr"] for group in optimizer.param_groups] == [1e-5, 1e-4, 3e-6]


def test_earlier_layers_learn_slower() -> None:
    module = make()
    found = rates(module, make_optimizer(module, RELEASED, tuning(backbone_lr=1.0, layer_decay=0.5)))
    expected = {"layer2.weight": 1.0, "layer1.0.weight": 0.5, "layer1.1.bias": 0.5, "stem.bias": 0.25}
    assert {name: found[f"backbone.{name}"] for name in expected} == expected
    assert found["backbone.position"] == 0.125
    assert found["head.decide.network.0.weight"] == 1e-5


@pytest.mark.parametrize("decay", [1.0, 0.5])
def test_frozen_layers_are_in_no_group(decay: float) -> None:
    module = make(freeze_until="stem")
    found = rates(module, make_optimizer(module, RELEASED, tuning(layer_decay=decay)))
    assert {name for name, _ in module.named_parameters()} - set(found) == {
        "backbone.position",
        "backbone.stem.weight",
        "backbone.stem.bias",
    }
    assert found["backbone.layer1.0.weight"] == 1e-5 * decay


def test_heads_on_stored_features_keep_their_two_groups() -> None:
    head = build_weight_decider({"clips": 4})
    groups = make_optimizer(head, RELEASED).param_groups
    assert [group["lr"] for group in groups] == [1e-5, 1e-4]
    with pytest.raises(AssertionError, match="for backbone and head together"):
        make_optimizer(head, RELEASED, tuning())
