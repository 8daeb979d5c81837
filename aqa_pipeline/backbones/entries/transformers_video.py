"""Video encoders of the library transformers; they need the extra `transformers`."""

from typing import TYPE_CHECKING

from aqa_pipeline.backbones.backbone import Backbone, Checkpoint, Cost
from aqa_pipeline.backbones.entries.extras import package_needed

if TYPE_CHECKING:
    from torch import nn


def _vjepa2_l() -> "nn.Module":
    with package_needed("vjepa2-l", "transformers"):
        from aqa_pipeline.backbones.networks.transformers_video import build_vjepa2
    return build_vjepa2()


TRANSFORMERS_VIDEO = (
    # Its positions are rotations, so that it takes 16 frames although it was trained on 64, at a seventh of
    # their cost. `vjepa2.` is the prefix in files of its classifiers.
    Backbone(
        name="vjepa2-l",
        feature_size=1024,
        frames_per_clip=16,
        weights="vjepa2-vitl-fpc64-256",
        build=_vjepa2_l,
        preprocess={"paper": "vjepa2-256", "released": "vjepa2-256"},
        source="Assran et al., V-JEPA 2, 2025; facebookresearch/vjepa2 (MIT), by transformers (Apache-2.0)",
        cost=Cost(827.85, 303_885_312),
        checkpoint=Checkpoint(key_map=((r"^vjepa2\.", ""),), unused=("predictor.", "pooler.", "classifier.")),
    ),
)
