"""Backbones: networks that turn frames and clips into features. Importing this imports no torch."""

from aqa_pipeline.backbones.backbone import Backbone, Checkpoint, Cost, Framing
from aqa_pipeline.backbones.registry import BACKBONES, backbone_origin, get_backbone

__all__ = ["BACKBONES", "Backbone", "Checkpoint", "Cost", "Framing", "backbone_origin", "get_backbone"]
