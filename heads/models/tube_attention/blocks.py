"""The attention blocks between the two stages of I3D that the tables of TSA-Net compare."""

from collections.abc import Callable, Mapping

from torch import Tensor, nn

from aqa_pipeline.errors import AqaError, UnknownName
from heads.models.tube_attention.paper import TubeAttention
from heads.models.tube_attention.released import ReleasedTubeAttention


class Unchanged(nn.Module):
    """Plain-Net: no attention between the stages."""

    def forward(self, maps: Tensor, masks: Tensor) -> Tensor:
        """Return the maps."""
        return maps


class Stack(nn.Module):
    """Several blocks in a row with the same tubes (TSAx2-Net, TSAx3-Net)."""

    def __init__(self, blocks: list[nn.Module]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)

    def forward(self, maps: Tensor, masks: Tensor) -> Tensor:
        """Return maps of the same shape."""
        for block in self.blocks:
            maps = block(maps, masks)
        return maps


def tube_attention(channels: int) -> nn.Module:
    """Return the tube attention of the paper's text; theta, phi and g halve the channels."""
    return TubeAttention(channels, channels // 2)


def non_local(channels: int) -> nn.Module:
    """Return the block of NL-Net: the same attention over all positions."""
    return TubeAttention(channels, channels // 2, everywhere=True)


def unchanged(channels: int) -> nn.Module:
    """Return the block of Plain-Net, which changes nothing."""
    return Unchanged()


BLOCKS: Mapping[str, Callable[[int], nn.Module]] = {
    "tsa": tube_attention,
    "tsa-released": ReleasedTubeAttention,
    "nl-net": non_local,
    "plain-net": unchanged,
}


def build_blocks(name: str, *, channels: int, num_stacked: int = 1) -> nn.Module:
    """Return `num_stacked` blocks of that name: a module from maps and masks to maps of the same shape.

    Raises `UnknownName` for an unknown name and `AqaError` for a number below 1.
    """
    if name not in BLOCKS:
        raise UnknownName("block between the stages", name, BLOCKS)
    if num_stacked < 1:
        raise AqaError(f"{num_stacked} blocks of {name}: expected at least 1 (plain-net has no attention)")
    return Stack([BLOCKS[name](channels) for _ in range(num_stacked)])
