"""Video classifiers of torchvision, each with the preprocessing of its weights."""

from aqa_pipeline.backbones.backbone import Backbone, Checkpoint, Cost
from aqa_pipeline.backbones.entries.torchvision_net import without_head

_TRAN = "Tran et al., A Closer Look at Spatiotemporal Convolutions for Action Recognition, CVPR 2018"
_SWIN = "Liu et al., Video Swin Transformer, CVPR 2022"


def _video(
    model: str,
    feature_size: int,
    *,
    head: str,
    frames: int,
    preprocess: str,
    paper: str,
    cost: Cost,
) -> Backbone:
    return Backbone(
        name=model,
        feature_size=feature_size,
        frames_per_clip=frames,
        weights=f"{model}-kinetics400",
        build=without_head(model, head=head),
        preprocess={"paper": preprocess, "released": preprocess},
        source=f"{paper}; torchvision (BSD-3-Clause)",
        cost=cost,
        checkpoint=Checkpoint(unused=(f"{head}.",)),
    )


TORCHVISION_VIDEO = (
    *(
        _video(model, 512, head="fc", frames=16, preprocess="kinetics-112", paper=_TRAN, cost=cost)
        for model, cost in (
            ("r3d_18", Cost(40.70, 33_166_272)),
            ("mc3_18", Cost(43.34, 11_490_240)),
            ("r2plus1d_18", Cost(40.52, 31_300_125)),
        )
    ),
    # S3D was evaluated on 128 frames at 15 fps, and takes 14 or more. Here it gets 16, as other networks do,
    # so that a video has more than a few segments.
    _video(
        "s3d",
        1024,
        head="classifier",
        frames=16,
        preprocess="kinetics-224",
        paper="Xie et al., Rethinking Spatiotemporal Feature Learning, ECCV 2018",
        cost=Cost(17.98, 7_910_048),
    ),
    _video(
        "mvit_v1_b",
        768,
        head="head",
        frames=16,
        preprocess="pyslowfast-224",
        paper="Fan et al., Multiscale Vision Transformers, ICCV 2021",
        cost=Cost(70.60, 36_303_072),
    ),
    _video(
        "mvit_v2_s",
        768,
        head="head",
        frames=16,
        preprocess="pyslowfast-224",
        paper="Li et al., MViTv2, CVPR 2022",
        cost=Cost(64.22, 34_230_144),
    ),
    *(
        _video(model, size, head="head", frames=32, preprocess="swin3d-224", paper=_SWIN, cost=cost)
        for model, size, cost in (
            ("swin3d_t", 768, Cost(87.76, 27_850_470)),
            ("swin3d_s", 768, Cost(165.68, 49_509_078)),
            ("swin3d_b", 1024, Cost(281.33, 87_638_984)),
        )
    ),
)
