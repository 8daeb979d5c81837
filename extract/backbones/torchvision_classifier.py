"""torchvision's image classifiers, cut open before their last layer."""

import torchvision
from torch import nn


def build_image_model(model: str, *, head: str) -> nn.Module:
    """The torchvision model whose layer at `head` only hands on its input: (B, 3, H, W) -> (B, features)."""
    network: nn.Module = torchvision.models.get_model(model, weights=None)
    network.set_submodule(head, nn.Identity())
    return network
