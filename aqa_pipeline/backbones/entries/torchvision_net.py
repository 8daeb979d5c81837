"""The build function that torchvision's image and video classifiers share."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def without_head(model: str, *, head: str) -> Callable[[], "nn.Module"]:
    """Return the build function of a torchvision classifier without its last layer, the module at `head`."""

    def build() -> "nn.Module":
        from aqa_pipeline.backbones.networks.torchvision import build_without_head

        return build_without_head(model, head=head)

    return build
