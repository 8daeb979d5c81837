"""Image encoders of the library transformers; they need the extra `transformers`."""

from functools import partial
from typing import TYPE_CHECKING

from aqa_pipeline.backbones.backbone import Backbone, Checkpoint, Cost
from aqa_pipeline.backbones.entries.extras import package_needed

if TYPE_CHECKING:
    from torch import nn


def _siglip2_b() -> "nn.Module":
    with package_needed("siglip2-b", "transformers"):
        from aqa_pipeline.backbones.networks.transformers_image import build_siglip2
    return build_siglip2()


def _build_dinov3(name: str, width: int, depth: int, num_heads: int) -> "nn.Module":
    with package_needed(name, "transformers"):
        from aqa_pipeline.backbones.networks.transformers_image import build_dinov3
    return build_dinov3(width=width, depth=depth, num_heads=num_heads)


def _dinov3(size: str, width: int, depth: int, num_heads: int, cost: Cost) -> Backbone:
    name = f"dinov3-{size}"
    return Backbone(
        name=name,
        feature_size=width,
        frames_per_clip=None,
        weights=f"dinov3-vit{size}16-lvd1689m",
        build=partial(_build_dinov3, name, width, depth, num_heads),
        preprocess={"paper": "dinov3-224", "released": "dinov3-224"},
        source="Simeoni et al., DINOv3, 2025; facebookresearch/dinov3 (DINOv3 License), by transformers",
        cost=cost,
        # The layers of the library lie one module deeper than in the files of the hub.
        checkpoint=Checkpoint(
            key_map=((r"^(embeddings|norm)\.", r"encoder.\1."), (r"^layer\.", "encoder.model.layer."))
        ),
    )


TRANSFORMERS_IMAGE = (
    Backbone(
        name="siglip2-b",
        feature_size=768,
        frames_per_clip=None,
        weights="siglip2-base-patch16-224",
        build=_siglip2_b,
        preprocess={"paper": "squash-224", "released": "squash-224"},
        source="Tschannen et al., SigLIP 2, 2025; google-research/big_vision (Apache-2.0), by transformers",
        cost=Cost(17.71, 92_884_224),
        checkpoint=Checkpoint(
            key_map=((r"^vision_model\.", "encoder."),), unused=("text_model.", "logit_scale", "logit_bias")
        ),
    ),
    _dinov3("s", 384, 12, 6, Cost(4.70, 21_596_544)),
    _dinov3("b", 768, 12, 12, Cost(17.93, 85_660_416)),
    _dinov3("l", 1024, 24, 16, Cost(62.84, 303_129_600)),
)
