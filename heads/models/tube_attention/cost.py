"""What tube attention costs, counted both ways: the paper's, and everything.

Tables 3 and 5 of TSA-Net print 2.2 G for its non-local block on 10 clips of 4x14x14 positions. Two 1x1
convolutions between 528 and 264 channels on those 7,840 positions are 2.19 G multiply-adds; the products that
relate positions to each other, 15 times as many, were not counted, nor were two of the four convolutions. The
same two convolutions on a tube give the paper's numbers for TSA-Net, so these tell the sizes of its tubes.

All numbers are multiply-adds of a forward pass, as in the paper; a FLOP counter says twice as much.
"""

from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from heads.models.tube_attention.paper import CHANNELS, REDUCED
from heads.models.tube_attention.products import PRODUCTS, cheapest

NL_POSITIONS = 10 * 4 * 14 * 14
Block = Literal["nl-net", "tsa-as-written", "tsa"]


def paper_count(positions: int, *, channels: int = CHANNELS, reduced: int = REDUCED, stacked: int = 1) -> int:
    """The paper's way: g and W_z alone, on so many positions of one video."""
    return stacked * 2 * positions * channels * reduced


def paper_positions(multiply_adds: float, *, channels: int = CHANNELS, reduced: int = REDUCED) -> int:
    """How many positions the paper's count stands for: 0.864 G on AQA-7's diving are 3,099 of 7,840."""
    return round(multiply_adds / paper_count(1, channels=channels, reduced=reduced))


def full_count(
    block: Block,
    tube_sizes: Sequence[int],
    *,
    channels: int = CHANNELS,
    reduced: int = REDUCED,
    grid_positions: int = NL_POSITIONS,
) -> int:
    """Every product of the block, for videos whose tubes have so many of `grid_positions` positions.

    `nl-net` relates all positions as written, `tsa-as-written` those of the tube, `tsa` is ours.
    """
    sizes = [grid_positions] * len(tube_sizes) if block == "nl-net" else tube_sizes
    orders = [cheapest(size, channels, reduced) if block == "tsa" else "scores" for size in sizes]
    return sum(
        PRODUCTS[order].multiply_adds(size, channels, reduced)
        for order, size in zip(orders, sizes, strict=True)
        if size
    )


def counted(module: nn.Module, maps: Tensor, masks: Tensor) -> dict[str, int]:
    """Multiply-adds of one forward pass by torch's own counter: of each part that is called, and "Global"."""
    with FlopCounterMode(display=False) as counter:
        module(maps, masks)
    return {name: sum(by_operator.values()) // 2 for name, by_operator in counter.get_flop_counts().items()}
