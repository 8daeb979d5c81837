"""Networks that turn frames and clips into features. Importing this imports no torch."""

from extract.backbones.backbone import Backbone
from extract.backbones.loading import LoadedBackbone, Precision, load_backbone
from extract.backbones.zoo import BACKBONES, get_backbone

__all__ = ["BACKBONES", "Backbone", "LoadedBackbone", "Precision", "get_backbone", "load_backbone"]
