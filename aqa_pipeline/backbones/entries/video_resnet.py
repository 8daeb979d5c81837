"""The networks that Weight-Decider compares: R(2+1)D-34 of IG-65M on 8 and 32 frames, Hara's ResNets."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from aqa_pipeline.backbones.backbone import Backbone, Checkpoint, Cost, KeyMap

if TYPE_CHECKING:
    from torch import nn

Depth = Literal[34, 50, 101]

_HARA = "Kataoka, Hara et al., Would Mega-scale Datasets Further Enhance 3D CNNs?, 2020; kenshohara (MIT)"
_IG65M = "Ghadiyaram et al., Large-scale Weakly-supervised Pre-training, CVPR 2019; moabitcoin (MIT)"

# The order matters: `conv1` belongs to the stem at the start of a name, and to a block elsewhere.
HARA_NAMES: KeyMap = (
    (r"^conv1(_s)?\.", "stem.0."),
    (r"^bn1(_s)?\.", "stem.1."),
    (r"^conv1_t\.", "stem.3."),
    (r"^bn1_t\.", "stem.4."),
    (r"\.conv(\d)_s\.", r".conv\1.0.0."),
    (r"\.bn(\d)_s\.", r".conv\1.0.1."),
    (r"\.conv(\d)_t\.", r".conv\1.0.3."),
    (r"\.bn(\d)_t\.", r".conv\1.1."),
    (r"\.conv(\d)\.(?=weight$)", r".conv\1.0."),
    (r"\.bn(\d)\.", r".conv\1.1."),
)


def _ig65m_net() -> "nn.Module":
    from aqa_pipeline.backbones.networks.video_resnet import build_ig65m

    return build_ig65m()


def _ig65m(frames: Literal[8, 32], gflops: float) -> Backbone:
    return Backbone(
        name=f"r2plus1d_34_ig65m_{frames}",
        feature_size=512,
        frames_per_clip=frames,
        weights=f"r2plus1d_34-clip{frames}-ig65m-kinetics400",
        build=_ig65m_net,
        preprocess={"paper": "kinetics-112", "released": "released-wd-112"},
        source=_IG65M,
        cost=Cost(gflops, num_parameters=63_491_975),
        checkpoint=Checkpoint(unused=("fc.",)),
    )


def _hara_3d(depth: Depth) -> Callable[[], "nn.Module"]:
    def build() -> "nn.Module":
        from aqa_pipeline.backbones.networks.video_resnet import build_hara_3d

        return build_hara_3d(depth)

    return build


def _hara_2plus1d(depth: Depth) -> Callable[[], "nn.Module"]:
    def build() -> "nn.Module":
        from aqa_pipeline.backbones.networks.video_resnet import build_hara_2plus1d

        return build_hara_2plus1d(depth)

    return build


def _hara(
    name: str, feature_size: int, weights: str, build: Callable[[], "nn.Module"], cost: Cost
) -> Backbone:
    return Backbone(
        name=name,
        feature_size=feature_size,
        frames_per_clip=16,
        weights=weights,
        build=build,
        preprocess={"paper": "hara-112", "released": "released-wd-112"},
        source=_HARA,
        cost=cost,
        checkpoint=Checkpoint(HARA_NAMES, unused=("fc.",)),
    )


VIDEO_RESNET = (
    _ig65m(8, 38.09),
    _ig65m(32, 152.36),
    _hara("r3d_34_hara", 512, "r3d34-kinetics700-hara", _hara_3d(34), Cost(12.70, 63_513_536)),
    _hara("r3d_50_hara", 2048, "r3d50-kinetics700-hara", _hara_3d(50), Cost(10.07, 46_198_976)),
    _hara("r3d_101_hara", 2048, "r3d101-kinetics700-hara", _hara_3d(101), Cost(13.89, 85_245_120)),
    _hara("r2plus1d_34_hara", 512, "r2p1d34-kinetics700-hara", _hara_2plus1d(34), Cost(12.86, 63_542_300)),
    _hara("r2plus1d_50_hara", 2048, "r2p1d50-kinetics700-hara", _hara_2plus1d(50), Cost(10.52, 46_215_782)),
)
