"""Pretrained files of image networks: torchvision, ImageNet-1k."""

from aqa_pipeline.weights.weights_file import torchvision_file

IMAGENET = tuple(
    torchvision_file(name, file_name, "torchvision image model, ImageNet-1k")
    for name, file_name in {
        "resnet18-imagenet-v1": "resnet18-f37072fd.pth",
        "resnet34-imagenet-v1": "resnet34-b627a593.pth",
        "resnet50-imagenet-v1": "resnet50-0676ba61.pth",
        "resnet50-imagenet-v2": "resnet50-11ad3fa6.pth",
        "resnet101-imagenet-v1": "resnet101-63fe2227.pth",
        "resnet101-imagenet-v2": "resnet101-cd907fc2.pth",
        "resnet152-imagenet-v1": "resnet152-394f9c45.pth",
        "resnet152-imagenet-v2": "resnet152-f82ba261.pth",
        "convnext_tiny-imagenet-v1": "convnext_tiny-983f1562.pth",
        "efficientnet_b0-imagenet-v1": "efficientnet_b0_rwightman-7f5810bc.pth",
        "vit_b_16-imagenet-v1": "vit_b_16-c867db91.pth",
        "swin_t-imagenet-v1": "swin_t-704ceda3.pth",
    }.items()
)
