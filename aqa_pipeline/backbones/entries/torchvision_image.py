"""Image classifiers of torchvision, trained on ImageNet."""

from aqa_pipeline.backbones.backbone import Backbone, Checkpoint, Cost
from aqa_pipeline.backbones.entries.torchvision_net import without_head

_RESNET = "He et al., Deep Residual Learning for Image Recognition, CVPR 2016"


def _image(
    model: str,
    feature_size: int,
    *,
    head: str,
    paper: str,
    cost: Cost,
    weights: str | None = None,
    name: str | None = None,
) -> Backbone:
    return Backbone(
        name=name or model,
        feature_size=feature_size,
        frames_per_clip=None,
        weights=weights or f"{model}-imagenet-v1",
        build=without_head(model, head=head),
        preprocess={"paper": "squash-224", "released": "squash-224"},
        source=f"{paper}; torchvision (BSD-3-Clause)",
        cost=cost,
        checkpoint=Checkpoint(unused=(f"{head}.",)),
    )


IMAGE = (
    _image("resnet18", 512, head="fc", paper=_RESNET, cost=Cost(1.81, 11_176_512)),
    _image("resnet34", 512, head="fc", paper=_RESNET, cost=Cost(3.66, 21_284_672)),
    _image("resnet50", 2048, head="fc", paper=_RESNET, cost=Cost(4.09, 23_508_032)),
    _image(
        "resnet50",
        2048,
        head="fc",
        paper=_RESNET,
        cost=Cost(4.09, 23_508_032),
        weights="resnet50-imagenet-v2",
        name="resnet50-v2",
    ),
    _image("resnet101", 2048, head="fc", paper=_RESNET, cost=Cost(7.80, 42_500_160)),
    _image("resnet152", 2048, head="fc", paper=_RESNET, cost=Cost(11.51, 58_143_808)),
    _image(
        "convnext_tiny",
        768,
        head="classifier.2",
        paper="Liu et al., A ConvNet for the 2020s, CVPR 2022",
        cost=Cost(4.45, 27_820_128),
    ),
    _image(
        "efficientnet_b0",
        1280,
        head="classifier.1",
        paper="Tan & Le, EfficientNet, ICML 2019",
        cost=Cost(0.38, 4_007_548),
    ),
    _image(
        "vit_b_16",
        768,
        head="heads.head",
        paper="Dosovitskiy et al., An Image is Worth 16x16 Words, ICLR 2021",
        cost=Cost(17.56, 85_798_656),
    ),
    _image(
        "swin_t",
        768,
        head="head",
        paper="Liu et al., Swin Transformer, ICCV 2021",
        cost=Cost(4.49, 27_519_354),
    ),
)
