"""Networks that turn frames and clips into features. Importing this imports no torch."""

from extract.backbones.backbone import Backbone, Framing
from extract.backbones.loading import LoadedBackbone, load_backbone
from extract.backbones.runtimes import RUNTIMES, Precision, Runtime
from extract.backbones.zoo import BACKBONES, get_backbone

__all__ = [
    "BACKBONES",
    "RUNTIMES",
    "Backbone",
    "Framing",
    "LoadedBackbone",
    "Precision",
    "Runtime",
    "get_backbone",
    "load_backbone",
]
