"""From a decoded frame to what a backbone expects: geometry on the CPU, mean and deviation on the device.

A geometry is a pure function of one uint8 RGB frame (height, width, channel) and safe to call from threads.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from aqa_pipeline.errors import UnknownName
from extract.backbones.resizing import (
    ResizedCentre,
    antialiased,
    antialiased_centre,
    bilinear,
    bilinear_centre,
    centre,
)

RELEASED_CROP_HEIGHT, RELEASED_CROP_WIDTH = 224, 300

Geometry = Callable[[np.ndarray], np.ndarray]
PerChannel = tuple[float, float, float]


@dataclass(frozen=True)
class Preprocess:
    """How frames reach a backbone: `geometry` gives (size, size, 3) uint8, then (x / 255 - mean) / std."""

    name: str
    size: int
    geometry: Geometry
    mean: PerChannel
    std: PerChannel
    source: str


def get_preprocess(name: str) -> Preprocess:
    """The preprocessing of that name; raises `UnknownName`."""
    if name not in PREPROCESS:
        raise UnknownName("preprocessing", name, PREPROCESS)
    return PREPROCESS[name]


def short_side_and_crop(
    frame: np.ndarray, *, short_side: int, crop: int, resize: ResizedCentre
) -> np.ndarray:
    """Resized to a shorter side of `short_side`, aspect kept, and the central square cut out."""
    height, width = frame.shape[:2]
    # The longer side is cut, not rounded, as torchvision does: 640x360 -> 455x256 (455.1).
    short = min(height, width)
    new_width, new_height = int(short_side * width / short), int(short_side * height / short)
    return resize(frame, new_width, new_height, crop)


def squash_and_crop(
    frame: np.ndarray, *, width: int, height: int, crop: int, resize: ResizedCentre
) -> np.ndarray:
    """Resized to width x height, whatever the aspect was, and the central square cut out."""
    return resize(frame, width, height, crop)


def released_segments(frame: np.ndarray) -> np.ndarray:
    """ACTION-NET's code: OpenCV to a height of 224, the central 300x224 cut out, squashed to 224x224."""
    height, width = frame.shape[:2]
    resized = bilinear(frame, max(1, int(width / height * 224 + 0.5)), 224)
    return antialiased(centre(resized, RELEASED_CROP_WIDTH, RELEASED_CROP_HEIGHT), 224, 224)


def squash_224(frame: np.ndarray) -> np.ndarray:
    """Resized to 224x224, whatever the aspect was."""
    return antialiased(frame, 224, 224)


_HALF: PerChannel = (0.5, 0.5, 0.5)  # [0, 255] -> [-1, 1]
_IMAGENET: tuple[PerChannel, PerChannel] = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_KINETICS: tuple[PerChannel, PerChannel] = (0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989)
_PYSLOWFAST: tuple[PerChannel, PerChannel] = (0.45, 0.45, 0.45), (0.225, 0.225, 0.225)

_SHORT_256_CROP_224 = partial(short_side_and_crop, short_side=256, crop=224, resize=antialiased_centre)
_SHORT_256_CROP_224_BILINEAR = partial(short_side_and_crop, short_side=256, crop=224, resize=bilinear_centre)
_455x256_CROP_224 = partial(squash_and_crop, width=455, height=256, crop=224, resize=antialiased_centre)
_171x128_CROP_112 = partial(squash_and_crop, width=171, height=128, crop=112, resize=antialiased_centre)
_171x128_CROP_112_BILINEAR = partial(squash_and_crop, width=171, height=128, crop=112, resize=bilinear_centre)

PREPROCESS = {
    each.name: each
    for each in (
        Preprocess(
            "short-side-256-crop-224",
            224,
            _SHORT_256_CROP_224,
            _HALF,
            _HALF,
            "ACTION-NET 5.2: shortest side 256, centre crop 224x224; I3D's own range [-1, 1]",
        ),
        Preprocess(
            "released-segments",
            224,
            released_segments,
            _HALF,
            _HALF,
            "ACTION-NET's code, extract_dynamic_feat.py",
        ),
        Preprocess("squash-224", 224, squash_224, _HALF, _HALF, "ACTION-NET's code, extract_static_feat.py"),
        Preprocess(
            "imagenet",
            224,
            _SHORT_256_CROP_224,
            *_IMAGENET,
            "what torchvision's IMAGENET1K_V1 models were evaluated with",
        ),
        Preprocess(
            "tsa-224",
            224,
            _455x256_CROP_224,
            _HALF,
            _HALF,
            "(M)USDL, TSA-Net: 455x256, centre crop 224x224; I3D's own range [-1, 1]",
        ),
        # The code draws one of four filters per video, at test time too; here it is always the bilinear one.
        Preprocess(
            "released-tsa-224",
            224,
            _455x256_CROP_224,
            *_IMAGENET,
            "TSA-Net's code: 455x256, centre crop 224x224, ImageNet statistics",
        ),
        # Sports-1M's C3D saw pixels of 0..255 less a mean. MMAction2, whose file we take, subtracts Caffe's
        # (104, 117, 128), in this order from RGB. MTL-AQA and WD feed [0, 1] with ImageNet's statistics, a
        # range 60 times smaller: that is for a C3D they train on, and leaves a frozen one with its biases.
        Preprocess(
            "c3d-sports1m",
            112,
            _171x128_CROP_112_BILINEAR,
            (104 / 255, 117 / 255, 128 / 255),
            (1 / 255, 1 / 255, 1 / 255),
            "MMAction2's C3D: 171x128, centre crop 112x112, pixels of 0..255 less their mean",
        ),
        Preprocess(
            "kinetics-112",
            112,
            _171x128_CROP_112_BILINEAR,
            *_KINETICS,
            "VMZ and torchvision's video ResNets; the geometry is Weight-Decider's, too",
        ),
        Preprocess(
            "hara-112",
            112,
            _171x128_CROP_112,
            (0.4345, 0.4051, 0.3775),
            (0.2768, 0.2713, 0.2737),
            "Weight-Decider 4.1: 171x128, centre crop 112x112; Hara's own Kinetics mean and deviation",
        ),
        # The code draws one of four filters per video, at test time too; here it is always the bilinear one.
        Preprocess(
            "released-wd-112",
            112,
            _171x128_CROP_112,
            *_IMAGENET,
            "Weight-Decider's code: 171x128, centre crop 112x112, ImageNet statistics for every network",
        ),
        Preprocess(
            "kinetics-224",
            224,
            partial(squash_and_crop, width=256, height=256, crop=224, resize=bilinear_centre),
            *_KINETICS,
            "torchvision's S3D",
        ),
        Preprocess(
            "pyslowfast-224",
            224,
            _SHORT_256_CROP_224_BILINEAR,
            *_PYSLOWFAST,
            "torchvision's and pytorchvideo's MViT",
        ),
        Preprocess(
            "swin3d-224",
            224,
            _SHORT_256_CROP_224_BILINEAR,
            *_IMAGENET,
            "torchvision's Video Swin Transformer",
        ),
        Preprocess(
            "pyslowfast-256",
            256,
            partial(short_side_and_crop, short_side=256, crop=256, resize=bilinear_centre),
            *_PYSLOWFAST,
            "the test crop of pytorchvideo's model zoo",
        ),
        Preprocess(
            "pyslowfast-182",
            182,
            partial(short_side_and_crop, short_side=182, crop=182, resize=bilinear_centre),
            *_PYSLOWFAST,
            "the test crop of pytorchvideo's X3D-S",
        ),
    )
}
