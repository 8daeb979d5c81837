"""Networks that turn frames and clips into features. Importing this imports no torch."""

from aqa_pipeline.backbones.backbone import Backbone, Framing
from aqa_pipeline.backbones.registry import BACKBONES, get_backbone

__all__ = ["BACKBONES", "Backbone", "Framing", "get_backbone"]
