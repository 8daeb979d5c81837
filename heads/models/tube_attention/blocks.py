"""The blocks between the two stages of I3D that TSA-Net's tables compare, alone or stacked."""

from collections.abc import Callable, Mapping

from torch import Tensor, nn

from aqa_pipeline.errors import AqaError, UnknownName
from heads.models.tube_attention.paper import TubeAttention
from heads.models.tube_attention.released import ReleasedTubeAttention


class Unchanged(nn.Module):
    """Plain-Net: nothing between the stages."""

    def forward(self, maps: Tensor, masks: Tensor) -> Tensor:
        return maps


class Stack(nn.Module):
    """Several blocks one after another, with the same tubes (TSAx2-Net, TSAx3-Net)."""

    def __init__(self, blocks: list[nn.Module]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)

    def forward(self, maps: Tensor, masks: Tensor) -> Tensor:
        for block in self.blocks:
            maps = block(maps, masks)
        return maps


def tube_attention(channels: int) -> nn.Module:
    """TSA as the paper has it; theta, phi and g halve the channels."""
    return TubeAttention(channels, channels // 2)


def non_local(channels: int) -> nn.Module:
    """NL-Net: the same block over all positions."""
    return TubeAttention(channels, channels // 2, everywhere=True)


def unchanged(channels: int) -> nn.Module:
    """Plain-Net."""
    return Unchanged()


BLOCKS: Mapping[str, Callable[[int], nn.Module]] = {
    "tsa": tube_attention,
    "tsa-released": ReleasedTubeAttention,
    "nl-net": non_local,
    "plain-net": unchanged,
}


def build_blocks(name: str, *, channels: int, num_stacked: int = 1) -> nn.Module:
    """The block of that name, `num_stacked` times: maps and masks in, maps of the same shape out.

    Raises `UnknownName` for another name and `AqaError` for a number below 1.
    """
    if name not in BLOCKS:
        raise UnknownName("block between the stages", name, BLOCKS)
    if num_stacked < 1:
        raise AqaError(f"{num_stacked} blocks of {name}: expected at least 1; plain-net has none")
    return Stack([BLOCKS[name](channels) for _ in range(num_stacked)])
