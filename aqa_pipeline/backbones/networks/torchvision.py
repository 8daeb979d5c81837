"""Classifiers of torchvision for images and videos, without their last layer."""

import torchvision
from torch import nn


def build_without_head(model: str, *, head: str) -> nn.Module:
    """Return the torchvision model with the identity in place of its module `head`.

    It turns images (batch, 3, height, width) or, for a video model, clips (batch, 3, frame, height, width)
    into features (batch, dim).
    """
    network: nn.Module = torchvision.models.get_model(model, weights=None)
    network.set_submodule(head, nn.Identity())
    return network
