"""Networks of pytorchvideo's model zoo, trained on Kinetics-400; they need the extra `pytorchvideo`."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from aqa_pipeline.backbones.backbone import Backbone, Checkpoint, Cost
from aqa_pipeline.backbones.entries.extras import package_needed

if TYPE_CHECKING:
    from torch import nn


def _builder(model: str) -> Callable[[], "nn.Module"]:
    def build() -> "nn.Module":
        with package_needed(model, "pytorchvideo"):
            from aqa_pipeline.backbones.networks.pytorchvideo import build_zoo_net
        return build_zoo_net(model)

    return build


def _zoo(
    model: str,
    feature_size: int,
    *,
    frames: int,
    preprocess: str,
    paper: str,
    cost: Cost,
    head: str = "blocks.5.proj.",
) -> Backbone:
    return Backbone(
        name=model,
        feature_size=feature_size,
        frames_per_clip=frames,
        weights=f"{model}-kinetics400",
        build=_builder(model),
        preprocess={"paper": preprocess, "released": preprocess},
        source=f"{paper}; pytorchvideo (Apache-2.0)",
        cost=cost,
        checkpoint=Checkpoint(unused=(head,)),
    )


_SLOWFAST = "Feichtenhofer et al., SlowFast Networks for Video Recognition, ICCV 2019"
_X3D = "Feichtenhofer, X3D: Expanding Architectures for Efficient Video Recognition, CVPR 2020"

PYTORCHVIDEO = (
    _zoo(
        "i3d_r50",
        2048,
        frames=8,
        preprocess="pyslowfast-256",
        paper="Carreira & Zisserman, Quo Vadis, Action Recognition?, CVPR 2017",
        cost=Cost(37.10, 27_223_872),
        head="blocks.6.proj.",  # its block 2 is a pool
    ),
    _zoo(
        "slow_r50", 2048, frames=8, preprocess="pyslowfast-256", paper=_SLOWFAST, cost=Cost(54.52, 31_634_496)
    ),
    _zoo(
        "slowfast_r50",
        2304,
        frames=32,
        preprocess="pyslowfast-256",
        paper=_SLOWFAST,
        cost=Cost(65.71, 33_644_488),
        head="blocks.6.proj.",
    ),
    _zoo("x3d_s", 2048, frames=13, preprocess="pyslowfast-182", paper=_X3D, cost=Cost(2.72, 2_974_674)),
    _zoo("x3d_m", 2048, frames=16, preprocess="pyslowfast-256", paper=_X3D, cost=Cost(6.18, 2_974_674)),
    _zoo(
        "csn_r101",
        2048,
        frames=32,
        preprocess="pyslowfast-256",
        paper="Tran et al., Video Classification with Channel-Separated Convolutional Networks, ICCV 2019",
        cost=Cost(73.75, 21_394_176),
    ),
    _zoo(
        "mvit_base_16x4",
        768,
        frames=16,
        preprocess="pyslowfast-224",
        paper="Fan et al., Multiscale Vision Transformers, ICCV 2021",
        cost=Cost(70.60, 36_303_072),
        head="head.proj.",
    ),
)
