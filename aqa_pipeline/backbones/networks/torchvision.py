"""torchvision's classifiers of images and of videos, cut open before their last layer."""

import torchvision
from torch import nn


def build_without_head(model: str, *, head: str) -> nn.Module:
    """The torchvision model whose module at `head` only hands on its input: pictures -> (B, features).

    Pictures are (B, 3, H, W), or (B, 3, T, H, W) for a video model.
    """
    network: nn.Module = torchvision.models.get_model(model, weights=None)
    network.set_submodule(head, nn.Identity())
    return network
