"""Video-Swin-B of ImageNet-22k and Kinetics-600, whose features the tables of GDLT and later papers share.

The network is torchvision's; the weights are those of the authors, who use MMAction2 and other names.
"""

from aqa_pipeline.backbones.backbone import Backbone, Checkpoint, Cost, KeyMap
from aqa_pipeline.backbones.entries.torchvision_net import without_head

NUM_STAGES = 4

# torchvision has one list of stages and of the layers between them, which halve the maps.
MMACTION_NAMES: KeyMap = (
    (r"^backbone\.", ""),
    *((rf"^layers\.{stage}\.blocks\.", f"features.{2 * stage}.") for stage in range(NUM_STAGES)),
    *((rf"^layers\.{stage}\.downsample\.", f"features.{2 * stage + 1}.") for stage in range(NUM_STAGES - 1)),
    (r"\.mlp\.fc1\.", ".mlp.0."),
    (r"\.mlp\.fc2\.", ".mlp.3."),
)

VIDEO_SWIN = (
    Backbone(
        name="swin3d_b_k600",
        feature_size=1024,
        frames_per_clip=32,
        weights="swin3d_b-kinetics600",
        build=without_head("swin3d_b", head="head"),
        preprocess={"paper": "mmaction-224", "released": "released-gdlt-224"},
        source="Liu et al., Video Swin Transformer, CVPR 2022; SwinTransformer/Video-Swin-Transformer "
        "(Apache-2.0), by torchvision (BSD-3-Clause)",
        cost=Cost(281.33, 87_638_984),
        checkpoint=Checkpoint(MMACTION_NAMES, unused=("cls_head.",)),
    ),
)
