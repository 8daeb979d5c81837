"""Pretrained files of large encoders: Video-Swin of its authors, and what lies on the Hugging Face hub.

A URL of the hub names the commit whose bytes the digest describes. Several other projects record that digest.
"""

from aqa_pipeline.weights.identity import Identity
from aqa_pipeline.weights.weights_file import WeightsFile

HUB = "https://huggingface.co"

VIDEO_SWIN = (
    WeightsFile(
        name="swin3d_b-kinetics600",
        file_name="swin_base_patch244_window877_kinetics600_22k.pth",
        urls=(
            "https://github.com/SwinTransformer/storage/releases/download/v1.0.4/"
            "swin_base_patch244_window877_kinetics600_22k.pth",
        ),
        identity=None,
        license="none stated (code: Apache-2.0)",
        note="Video-Swin-B, ImageNet-22k, then Kinetics-600, in MMAction2's names: GDLT's and later papers'",
    ),
)

VJEPA2 = (
    WeightsFile(
        name="vjepa2-vitl-fpc64-256",
        file_name="vjepa2-vitl-fpc64-256.safetensors",
        urls=(
            f"{HUB}/facebook/vjepa2-vitl-fpc64-256/resolve/"
            "b3c1679b7c34d3255ef3547f27c7b226aefab26f/model.safetensors",
        ),
        identity=Identity("sha256", "25466aef85727d16546c6cf8c99f12fcfad9cbca8225d45f23685e2e025b786b"),
        license="MIT",
        note="V-JEPA 2 ViT-L with its predictor, trained on video without labels, 64 frames of 256x256",
        size=1_303_947_864,
    ),
)

# The weights for transformers lie on a branch of Google's repository, which may be merged one day.
VIDEOPRISM = (
    WeightsFile(
        name="videoprism-base-f16r288",
        file_name="videoprism-base-f16r288.safetensors",
        urls=tuple(
            f"{HUB}/google/videoprism-base-f16r288/resolve/{branch}/model.safetensors"
            for branch in ("refs%2Fpr%2F4", "main")
        ),
        identity=None,
        license="Apache-2.0",
        note="VideoPrism base, trained on video, captions and speech, 16 frames of 288x288",
    ),
)


def _videomae2(name: str, file_name: str, *, sha256: str, size: int) -> WeightsFile:
    commit = "706cc172d65ebd4dedbee3f9c0183a93df9fa125"
    return WeightsFile(
        name=name,
        file_name=file_name,
        urls=(f"{HUB}/OpenGVLab/VideoMAE2/resolve/{commit}/distill/{file_name}",),
        identity=Identity("sha256", sha256),
        license="Apache-2.0 (the hub's page; code: MIT)",
        note="VideoMAE V2, distilled from its giant model on Kinetics-710, in half precision",
        size=size,
    )


VIDEOMAE2 = (
    _videomae2(
        "videomae2-s-kinetics710",
        "vit_s_k710_dl_from_giant.pth",
        sha256="24fb71687fa3671b8387cadfbcbab0f72af695692e93cf1ecc82caa888626172",
        size=44_334_609,
    ),
    _videomae2(
        "videomae2-b-kinetics710",
        "vit_b_k710_dl_from_giant.pth",
        sha256="8141a6955e0700d11bf15928fe6d61e5cfe482606fed8cfdddb1b922c0fd88ec",
        size=173_574_417,
    ),
)

SIGLIP2 = (
    WeightsFile(
        name="siglip2-base-patch16-224",
        file_name="siglip2-base-patch16-224.safetensors",
        urls=(
            f"{HUB}/google/siglip2-base-patch16-224/resolve/"
            "75de2d55ec2d0b4efc50b3e9ad70dba96a7b2fa2/model.safetensors",
        ),
        identity=Identity("sha256", "612923381c76ec5a9bed335d1c48827e3f2e506ac31b044b63b2031fadee6a0b"),
        license="Apache-2.0",
        note="SigLIP 2 base with its text encoder, which features do not need",
        size=1_500_800_904,
    ),
)


def _dinov3(size: str) -> WeightsFile:
    repository = f"facebook/dinov3-vit{size}16-pretrain-lvd1689m"
    file_name = f"dinov3-vit{size}16-pretrain-lvd1689m.safetensors"
    return WeightsFile(
        name=f"dinov3-vit{size}16-lvd1689m",
        file_name=file_name,
        urls=(),
        identity=None,
        license="DINOv3 License; its own terms, to be accepted before the download",
        note=f"DINOv3 ViT-{size.upper()}/16, LVD-1689M",
        manual=f"Log in to {HUB}/{repository}, accept the terms of the DINOv3 License and download "
        "model.safetensors there.",
    )


DINOV3 = tuple(_dinov3(size) for size in ("s", "b", "l"))
