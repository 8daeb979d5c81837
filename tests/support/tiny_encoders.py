"""Tiny versions of the encoders whose full size takes seconds to build and minutes to run on a CPU."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from torch import nn

from aqa_pipeline.backbones import BACKBONES, Backbone

WIDTH = 48
VJEPA2 = {
    "hidden_size": WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "crop_size": 32,
    "pred_hidden_size": 12,
    "pred_num_attention_heads": 2,
}
VIDEOPRISM = {
    "hidden_size": WIDTH,
    "num_spatial_layers": 2,
    "num_temporal_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 2 * WIDTH,
    "image_size": 36,
}
SIGLIP2 = {
    "hidden_size": WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 2 * WIDTH,
    "image_size": 32,
}


@dataclass(frozen=True)
class Tiny:
    """How a tiny version is built, and the side of its pictures in pixels. It keeps the number of frames."""

    build: Callable[[], nn.Module]
    size: int


def _vjepa2() -> nn.Module:
    from aqa_pipeline.backbones.networks.transformers_video import build_vjepa2

    return build_vjepa2(**VJEPA2)


def _videoprism() -> nn.Module:
    from aqa_pipeline.backbones.networks.transformers_video import build_videoprism

    return build_videoprism(**VIDEOPRISM)


def _siglip2() -> nn.Module:
    from aqa_pipeline.backbones.networks.transformers_image import build_siglip2

    return build_siglip2(**SIGLIP2)


def _dinov3() -> nn.Module:
    from aqa_pipeline.backbones.networks.transformers_image import build_dinov3

    return build_dinov3(width=WIDTH, depth=2, num_heads=3)


TINY = {
    "vjepa2-l": Tiny(_vjepa2, 32),
    "videoprism-b": Tiny(_videoprism, 36),
    "siglip2-b": Tiny(_siglip2, 32),
    **{f"dinov3-{size}": Tiny(_dinov3, 32) for size in "sbl"},
}


def tiny(name: str) -> tuple[Backbone, int]:
    """Return the tiny version of that backbone, and the side of its pictures.

    Skip the test if transformers is missing.
    """
    pytest.importorskip("transformers", reason="needs the extra `transformers`")
    return replace(BACKBONES[name], feature_size=WIDTH, build=TINY[name].build), TINY[name].size
