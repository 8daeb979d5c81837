"""The layers of a pretrained network in order of depth: which of them learn, and which learn how fast."""

from collections.abc import Sequence
from typing import NamedTuple

from torch import nn

from aqa_pipeline.errors import UnknownName


class Layer(NamedTuple):
    """One part of the network, with its name."""

    name: str
    module: nn.Module


def top_layers(parts: Sequence[nn.Module]) -> list[Layer]:
    """Return the children with weights of networks that follow each other, in order of depth.

    A network with a single such child is that child: `network.features.0` for torchvision's sequences.
    """
    return [layer for part in parts for layer in _children(part)]


def _children(part: nn.Module, prefix: str = "") -> list[Layer]:
    layers = [
        Layer(prefix + name, child)
        for name, child in part.named_children()
        if any(True for _ in child.parameters())
    ]
    if len(layers) == 1 and any(True for _ in layers[0].module.children()):
        return _children(layers[0].module, f"{layers[0].name}.") or layers
    return layers


def modules_until(parts: Sequence[nn.Module], name: str) -> list[nn.Module]:
    """Return the modules up to the one of that name, inclusive, in the order in which they were made.

    `name` is that of any submodule, such as `layer2` or `layer2.1`. Modules that hold nothing but other
    modules are left out. Raises `UnknownName`.
    """
    named = [Layer(*each) for part in parts for each in part.named_modules()]
    holders = [each for each in named if _holds_something(each.module)]
    inside = [at for at, each in enumerate(holders) if f"{each.name}.".startswith(f"{name}.")]
    if not inside:
        raise UnknownName("layer of the backbone", name, [layer.name for layer in top_layers(parts)])
    return [each.module for each in holders[: inside[-1] + 1]]


def _holds_something(module: nn.Module) -> bool:
    own = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
    return bool(own) or not any(True for _ in module.children())
