"""VideoMAE V2's distilled transformers, small and base."""

from functools import partial
from typing import TYPE_CHECKING

from aqa_pipeline.backbones.backbone import Backbone, Checkpoint, Cost

if TYPE_CHECKING:
    from torch import nn


def _build(width: int, num_heads: int) -> "nn.Module":
    from aqa_pipeline.backbones.networks.videomae2 import VideoViT

    return VideoViT(width=width, depth=12, num_heads=num_heads)


def _videomae2(name: str, width: int, num_heads: int, cost: Cost) -> Backbone:
    return Backbone(
        name=name,
        feature_size=width,
        frames_per_clip=16,
        weights=f"{name}-kinetics710",
        build=partial(_build, width, num_heads),
        preprocess={"paper": "videomae2-224", "released": "released-videomae2-224"},
        source="Wang et al., VideoMAE V2, CVPR 2023; OpenGVLab/VideoMAEv2 (MIT)",
        cost=cost,
        checkpoint=Checkpoint(unused=("head.",)),
    )


VIDEOMAE2 = (
    _videomae2("videomae2-s", 384, 6, Cost(56.88, 21_879_936)),
    _videomae2("videomae2-b", 768, 12, Cost(180.34, 86_227_200)),
)
