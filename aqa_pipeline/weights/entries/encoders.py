"""Pretrained files of large encoders, most of which lie on the Hugging Face hub.

A URL names the commit whose bytes the digest describes. The hub lists that digest beside the file.
"""

from aqa_pipeline.weights.identity import Identity
from aqa_pipeline.weights.weights_file import WeightsFile

HUB = "https://huggingface.co"

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
