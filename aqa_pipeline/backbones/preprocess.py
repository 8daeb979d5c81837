"""Preprocess decoded frames for a backbone: geometry on the CPU, mean and deviation on the device."""

from dataclasses import dataclass, replace

from aqa_pipeline.athlete.tube_masks import Size
from aqa_pipeline.backbones.backbone import WHOLE
from aqa_pipeline.backbones.frame_to_square import (
    Geometry,
    ReleasedClips,
    ReleasedSegments,
    ShortSideAndCrop,
    SquashAndCrop,
)
from aqa_pipeline.backbones.normalization import NORMALIZATIONS, PerChannel
from aqa_pipeline.backbones.resizing import (
    antialiased_center,
    antialiased_truncated_center,
    bicubic_center,
    bilinear_center,
    bilinear_truncated_center,
)
from aqa_pipeline.errors import UnknownName
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Box

NO_CHANGE = 0.02


@dataclass(frozen=True)
class Preprocess:
    """A preprocessing: `geometry` gives uint8 (size, size, 3), then follows (x / 255 - mean) / std.

    `mean` and `std` are per channel. `source` says which paper or code does it so.
    """

    name: str
    size: int
    geometry: Geometry
    mean: PerChannel
    std: PerChannel
    source: str

    def field_of_view(self, footage: Footage) -> Box:
        """Return the part of that footage's frames that the network sees, x1 y1 x2 y2 in pixels."""
        return self.geometry.place((footage.width, footage.height)).field_of_view

    def in_words(self, size: Size) -> str:
        """Return how a picture of that size (width, height) changes: stretched, cut to the middle, or both.

        Changes of up to 2 percent are not mentioned.
        """
        place = self.geometry.place(size)
        across, down = (after / before for after, before in zip(place.resized_size, size, strict=True))
        x1, y1, x2, y2 = place.field_of_view
        is_stretched = max(across, down) > (1 + NO_CHANGE) * min(across, down)
        is_cut = min((x2 - x1) / size[0], (y2 - y1) / size[1]) < 1 - NO_CHANGE
        return " and ".join([*["stretched"] * is_stretched, *["cut to the middle"] * is_cut])


def get_preprocess(name: str) -> Preprocess:
    """Return the preprocessing of that name; with the suffix `-whole`, its `whole_picture`.

    Raise `UnknownName`.
    """
    base = name.removesuffix(WHOLE)
    if base not in PREPROCESS:
        raise UnknownName("preprocessing", name, PREPROCESS)
    return whole_picture(PREPROCESS[base]) if name != base else PREPROCESS[base]


def whole_picture(preprocess: Preprocess) -> Preprocess:
    """Return the preprocessing without its crop: the whole frame, squashed to the network's square.

    A preprocessing that cuts nothing off is returned as it is.
    """
    side, resize = preprocess.size, preprocess.geometry.resize
    whole = SquashAndCrop(side, side, side, resize)
    if preprocess.geometry == whole:
        return preprocess
    return replace(preprocess, name=f"{preprocess.name}{WHOLE}", geometry=whole)


_HALF_RANGE = NORMALIZATIONS["half-range"]
_IMAGENET = NORMALIZATIONS["imagenet"]
_KINETICS = NORMALIZATIONS["kinetics"]
_PYSLOWFAST = NORMALIZATIONS["pyslowfast"]

_SHORT_256_CROP_224 = ShortSideAndCrop(256, 224, antialiased_center)
_SHORT_256_CROP_224_BILINEAR = ShortSideAndCrop(256, 224, bilinear_center)
_455x256_CROP_224 = SquashAndCrop(455, 256, 224, antialiased_center)
_171x128_CROP_112 = SquashAndCrop(171, 128, 112, antialiased_center)
_171x128_CROP_112_BILINEAR = SquashAndCrop(171, 128, 112, bilinear_center)

PREPROCESS = {
    each.name: each
    for each in (
        Preprocess(
            "short-side-256-crop-224",
            224,
            _SHORT_256_CROP_224,
            *_HALF_RANGE,
            source="ACTION-NET 5.2: shortest side 256, center crop 224x224; I3D's own range [-1, 1]",
        ),
        Preprocess(
            "released-segments",
            224,
            ReleasedSegments(),
            *_HALF_RANGE,
            source="ACTION-NET's code, extract_dynamic_feat.py",
        ),
        Preprocess(
            "squash-224",
            224,
            SquashAndCrop(224, 224, 224, antialiased_center),
            *_HALF_RANGE,
            source="ACTION-NET's code, extract_static_feat.py; SigLIP 2's processor does the same",
        ),
        Preprocess(
            "imagenet",
            224,
            _SHORT_256_CROP_224,
            *_IMAGENET,
            source="what torchvision's IMAGENET1K_V1 models were evaluated with",
        ),
        Preprocess(
            "tsa-224",
            224,
            _455x256_CROP_224,
            *_HALF_RANGE,
            source="(M)USDL, TSA-Net: 455x256, center crop 224x224; I3D's own range [-1, 1]",
        ),
        # The code draws one of four filters per video, at test time too. Here it is always the bilinear one.
        Preprocess(
            "released-tsa-224",
            224,
            _455x256_CROP_224,
            *_IMAGENET,
            source="TSA-Net's code: 455x256, center crop 224x224, ImageNet statistics",
        ),
        # Sports-1M's C3D was trained on pixels of 0..255 minus a mean. MMAction2, whose file is used here,
        # subtracts Caffe's (104, 117, 128) from RGB in this order. MTL-AQA and WD use [0, 1] with ImageNet's
        # statistics, a 60 times smaller range. That suits a C3D that they train; a frozen C3D would give
        # little more than its biases.
        Preprocess(
            "c3d-sports1m",
            112,
            _171x128_CROP_112_BILINEAR,
            *NORMALIZATIONS["caffe"],
            source="MMAction2's C3D: 171x128, center crop 112x112, pixels of 0..255 less their mean",
        ),
        Preprocess(
            "kinetics-112",
            112,
            _171x128_CROP_112_BILINEAR,
            *_KINETICS,
            source="VMZ and torchvision's video ResNets; Weight-Decider has the same geometry",
        ),
        Preprocess(
            "hara-112",
            112,
            _171x128_CROP_112,
            *NORMALIZATIONS["hara"],
            source="Weight-Decider 4.1: 171x128, center crop 112x112; Hara's own Kinetics mean and deviation",
        ),
        # The code draws one of four filters per video, at test time too. Here it is always the bilinear one.
        Preprocess(
            "released-wd-112",
            112,
            _171x128_CROP_112,
            *_IMAGENET,
            source="Weight-Decider's code: 171x128, center crop 112x112, ImageNet statistics",
        ),
        Preprocess(
            "kinetics-224",
            224,
            SquashAndCrop(256, 256, 224, bilinear_center),
            *_KINETICS,
            source="torchvision's S3D",
        ),
        Preprocess(
            "pyslowfast-224",
            224,
            _SHORT_256_CROP_224_BILINEAR,
            *_PYSLOWFAST,
            source="torchvision's and pytorchvideo's MViT",
        ),
        Preprocess(
            "swin3d-224",
            224,
            _SHORT_256_CROP_224_BILINEAR,
            *_IMAGENET,
            source="torchvision's Video Swin Transformer",
        ),
        Preprocess(
            "pyslowfast-256",
            256,
            ShortSideAndCrop(256, 256, bilinear_center),
            *_PYSLOWFAST,
            source="the test crop of pytorchvideo's model zoo",
        ),
        Preprocess(
            "pyslowfast-182",
            182,
            ShortSideAndCrop(182, 182, bilinear_center),
            *_PYSLOWFAST,
            source="the test crop of pytorchvideo's X3D-S",
        ),
        Preprocess(
            "vjepa2-256",
            256,
            ShortSideAndCrop(292, 256, antialiased_truncated_center),
            *_IMAGENET,
            source="transformers' VJEPA2VideoProcessor: shorter side 256 * 256 / 224, center crop 256x256",
        ),
        Preprocess(
            "dinov3-224",
            224,
            SquashAndCrop(224, 224, 224, antialiased_center),
            *_IMAGENET,
            source="transformers' DINOv3ViTImageProcessor: 224x224 whatever the aspect was",
        ),
        Preprocess(
            "mmaction-224",
            224,
            ShortSideAndCrop(256, 224, bilinear_truncated_center, longer_side="rounded"),
            *_IMAGENET,
            source="the tests of Video-Swin's authors in MMAction2: shorter side 256, center crop 224x224",
        ),
        Preprocess(
            "released-gdlt-224",
            224,
            ReleasedClips(),
            *_IMAGENET,
            source="GDLT's code, rg_swintx.py: shorter side 256, center crop 300x224, squashed to 224x224",
        ),
        Preprocess(
            "videomae2-224",
            224,
            ShortSideAndCrop(224, 224, bilinear_center),
            *_IMAGENET,
            source="VideoMAE V2's validation: shorter side 224, center crop 224x224",
        ),
        Preprocess(
            "released-videomae2-224",
            224,
            SquashAndCrop(224, 224, 224, bilinear_center),
            *NORMALIZATIONS["unit-range"],
            source="VideoMAE V2's extract_tad_feature.py: 224x224 whatever the aspect was, [0, 1]",
        ),
        Preprocess(
            "videoprism-288",
            288,
            SquashAndCrop(288, 288, 288, bicubic_center),
            *NORMALIZATIONS["unit-range"],
            source="transformers' processor of VideoPrism: 288x288 whatever the aspect was, bicubic, [0, 1]",
        ),
        *(
            Preprocess(
                f"efficientnet-lite-{side}",
                side,
                ShortSideAndCrop(side + 32, side, bicubic_center),
                *_HALF_RANGE,
                source="tensorflow/tpu's EfficientNet-Lite: bicubic, 16 pixels cut off on each side",
            )
            for side in (224, 240, 260)
        ),
    )
}
