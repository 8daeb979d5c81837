"""The optimizer that a recipe asks for."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from heads.models.fine_tuned import FineTuned
from heads.recipes import FineTuning, Optimization


def make_optimizer(
    module: nn.Module, optimization: Optimization, fine_tuning: FineTuning | None = None
) -> torch.optim.Optimizer:
    """Return an optimizer with two groups: the regressor at `head_lr`, everything else at `lr`.

    A network that is trained together with its backbone has a group more for each layer of the backbone (see
    `FineTuning`), the last one first. Frozen weights are in no group.
    """
    groups: list[dict[str, Any]] = []
    if fine_tuning is not None:
        assert isinstance(module, FineTuned), "a recipe with `fine_tuning` is for backbone and head together"
        groups = _backbone_groups(module, fine_tuning)
    of_backbone = {id(parameter) for group in groups for parameter in group["params"]}
    named = [
        (name.split("."), parameter)
        for name, parameter in module.named_parameters()
        if id(parameter) not in of_backbone and (fine_tuning is None or parameter.requires_grad)
    ]
    regressor = [parameter for path, parameter in named if "regressor" in path]
    others = [parameter for path, parameter in named if "regressor" not in path]
    groups = [_group(others, optimization.lr), _group(regressor, optimization.head_lr), *groups]
    return _optimizer(groups, optimization)


def _backbone_groups(module: FineTuned, fine_tuning: FineTuning) -> list[dict[str, Any]]:
    """Return a group per layer of the backbone, the last one first; one group if all have one learning rate.

    Weights that belong to no layer, such as position embeddings, come before the first layer.
    """
    layers = [list(layer.module.parameters()) for layer in reversed(module.pretrained_layers)]
    inside = {id(parameter) for layer in layers for parameter in layer}
    everything = [parameter for part in module.pretrained for parameter in part.parameters()]
    layers.append([parameter for parameter in everything if id(parameter) not in inside])
    learning = [[parameter for parameter in layer if parameter.requires_grad] for layer in layers]
    if fine_tuning.layer_decay == 1:
        return [_group([each for layer in learning for each in layer], fine_tuning.backbone_lr)]
    return [
        _group(layer, fine_tuning.backbone_lr * fine_tuning.layer_decay**depth)
        for depth, layer in enumerate(learning)
        if layer
    ]


def _group(parameters: Iterable[nn.Parameter], lr: float) -> dict[str, Any]:
    return {"params": list(parameters), "lr": lr, "initial_lr": lr}


def _optimizer(groups: list[dict[str, Any]], optimization: Optimization) -> torch.optim.Optimizer:
    weight_decay = optimization.weight_decay
    if optimization.optimizer == "adamw":
        return torch.optim.AdamW(groups, weight_decay=weight_decay, fused=True)
    if optimization.optimizer == "adam":
        return torch.optim.Adam(groups, weight_decay=weight_decay, fused=True)
    return torch.optim.SGD(groups, momentum=optimization.momentum, weight_decay=weight_decay, fused=True)
