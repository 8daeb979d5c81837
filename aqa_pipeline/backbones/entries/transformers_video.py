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


def _videoprism_b() -> "nn.Module":
    with package_needed("videoprism-b", "transformers"):
        from aqa_pipeline.backbones.networks.transformers_video import build_videoprism
    return build_videoprism()


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
    Backbone(
        name="videoprism-b",
        feature_size=768,
        frames_per_clip=16,
        weights="videoprism-base-f16r288",
        build=_videoprism_b,
        preprocess={"paper": "videoprism-288", "released": "videoprism-288"},
        source="Zhao et al., VideoPrism, ICML 2024; google-deepmind/videoprism (Apache-2.0), by transformers",
        cost=Cost(486.64, 114_365_184),
        checkpoint=Checkpoint(key_map=((r"^(?!encoder\.)", "encoder."),)),
    ),
)
