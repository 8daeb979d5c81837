"""C3D. The SVR baselines and Xu et al. train on its fc6 features."""

from typing import TYPE_CHECKING

from aqa_pipeline.backbones.backbone import Backbone, Checkpoint, Cost, KeyMap

if TYPE_CHECKING:
    from torch import nn


def _build() -> "nn.Module":
    from aqa_pipeline.backbones.networks.c3d import C3D

    return C3D()


# conv1a.conv.weight -> conv1.weight, conv3b.conv.bias -> conv3b.bias
MMACTION2_NAMES: KeyMap = ((r"^conv([12])a\.", r"conv\1."), (r"^(conv\d[ab]?)\.conv\.", r"\1."))

C3D = (
    Backbone(
        name="c3d",
        feature_size=4096,
        frames_per_clip=16,
        weights="c3d-sports1m-mmaction2",
        build=_build,
        preprocess={"paper": "c3d-sports1m", "released": "c3d-sports1m"},
        source="Tran et al., Learning Spatiotemporal Features with 3D Convolutional Networks, ICCV 2015",
        cost=Cost(gflops=38.53, num_parameters=61_214_464),
        checkpoint=Checkpoint(MMACTION2_NAMES, unused=("fc7.", "fc8.")),
    ),
)
