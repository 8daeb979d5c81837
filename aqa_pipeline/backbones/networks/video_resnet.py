"""R(2+1)D-34 of IG-65M and Hara's 3D and (2+1)D ResNets, built from torchvision's VideoResNet.

Papers: Ghadiyaram et al., "Large-scale Weakly-supervised Pre-training for Video Action Recognition", CVPR
2019 (IG-65M; ported by moabitcoin/ig65m-pytorch, MIT); Kataoka, Hara et al., "Would Mega-scale Datasets
Further Enhance Spatiotemporal 3D CNNs?", arXiv 2004.04968 (kenshohara/3D-ResNets-PyTorch, MIT).

torchvision's (2+1)D block uses one middle width for both of its convolutions. Both of these families compute
it for each convolution. The names are the same, but some shapes differ.
"""

from collections.abc import Callable
from typing import Literal

from torch import nn
from torchvision.models.video.resnet import (
    BasicBlock,
    Bottleneck,
    Conv2Plus1D,
    Conv3DSimple,
    R2Plus1dStem,
    VideoResNet,
)

Depth = Literal[34, 50, 101]
Triple = tuple[int, int, int]

_LAYERS: dict[Depth, tuple[type[nn.Module], list[int]]] = {
    34: (BasicBlock, [3, 4, 6, 3]),
    50: (Bottleneck, [3, 4, 6, 3]),
    101: (Bottleneck, [3, 4, 23, 3]),
}
# Those of Caffe2, which trained these networks. The momentum counts when they are trained on.
_IG65M_BN_EPS, _IG65M_BN_MOMENTUM = 1e-3, 0.9


def build_ig65m() -> nn.Module:
    """Return R(2+1)D-34 as in VMZ: clips (batch, 3, frame, height, width) -> (batch, 512).

    The networks for 8 and for 32 frames have the same layers.
    """
    network = _without_classifier(34, FactoredConv, R2Plus1dStem)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm3d):
            module.eps, module.momentum = _IG65M_BN_EPS, _IG65M_BN_MOMENTUM
    return network


def build_hara_3d(depth: Depth) -> nn.Module:
    """Return Hara's 3D ResNet: clips (batch, 3, frame, height, width) -> (batch, 512), or 2048 if deeper."""

    def stem() -> nn.Sequential:
        return nn.Sequential(*_unit(3, 64, (7, 7, 7), stride=(1, 2, 2)), nn.MaxPool3d(3, 2, 1))

    return _without_classifier(depth, Conv3DSimple, stem)


def build_hara_2plus1d(depth: Depth) -> nn.Module:
    """Return Hara's R(2+1)D: clips (batch, 3, frame, height, width) -> (batch, 512), or 2048 if deeper."""

    def stem() -> nn.Sequential:
        spatial = _unit(3, 110, (1, 7, 7), stride=(1, 2, 2))
        temporal = _unit(110, 64, (7, 1, 1), stride=(1, 1, 1))
        return nn.Sequential(*spatial, *temporal, nn.MaxPool3d(3, 2, 1))

    return _without_classifier(depth, FactoredConv, stem)


class FactoredConv(Conv2Plus1D):
    """A spatial, then a temporal convolution, together with about as many weights as a 3x3x3 one."""

    def __init__(
        self, in_planes: int, out_planes: int, midplanes: int, stride: int = 1, padding: int = 1
    ) -> None:
        # `midplanes`, torchvision's middle width of the whole block, is replaced by this convolution's own.
        own = (in_planes * out_planes * 27) // (in_planes * 9 + out_planes * 3)
        super().__init__(in_planes, out_planes, own, stride, padding)


def _without_classifier(depth: Depth, conv: type[nn.Module], stem: Callable[[], nn.Sequential]) -> nn.Module:
    block, layers = _LAYERS[depth]
    network: nn.Module = VideoResNet(block, [conv] * 4, layers, stem)
    network.set_submodule("fc", nn.Identity())
    return network


def _unit(in_planes: int, out_planes: int, kernel: Triple, *, stride: Triple) -> tuple[nn.Module, ...]:
    time, height, width = kernel
    padding = (time // 2, height // 2, width // 2)
    conv = nn.Conv3d(in_planes, out_planes, kernel, stride, padding, bias=False)
    return conv, nn.BatchNorm3d(out_planes), nn.ReLU(inplace=True)
