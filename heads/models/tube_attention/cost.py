"""The cost of tube attention, counted in two ways: as the paper does, and completely.

Tables 3 and 5 of TSA-Net print 2.2 G for the non-local block on 10 clips of 4x14x14 positions. Two 1x1
convolutions between 528 and 264 channels on those 7,840 positions are 2.19 G multiply-adds. The paper left
out the products that relate positions to each other (15 times as many) and two of the four convolutions. The
paper's numbers for TSA-Net are the same two convolutions on a tube, so they give the sizes of its tubes.

All numbers are multiply-adds of a forward pass, as in the paper. A FLOP counter gives twice as many.
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
    """Return the multiply-adds that the paper counts: only g and W_z, on so many positions of one video."""
    return stacked * 2 * positions * channels * reduced


def paper_positions(multiply_adds: float, *, channels: int = CHANNELS, reduced: int = REDUCED) -> int:
    """Return the number of positions of a tube from the paper's count.

    0.864 G (AQA-7, diving) are 3,099 of 7,840 positions.
    """
    return round(multiply_adds / paper_count(1, channels=channels, reduced=reduced))


def full_count(
    block: Block,
    tube_sizes: Sequence[int],
    *,
    channels: int = CHANNELS,
    reduced: int = REDUCED,
    grid_positions: int = NL_POSITIONS,
) -> int:
    """Return the multiply-adds of all products of the block, summed over videos.

    `tube_sizes` are the positions of each video's tube, out of `grid_positions`. `nl-net` relates all
    positions, `tsa-as-written` those of the tube in the order of eq. 4-6, `tsa` in the cheapest order.
    """
    sizes = [grid_positions] * len(tube_sizes) if block == "nl-net" else tube_sizes
    orders = [cheapest(size, channels, reduced) if block == "tsa" else "scores" for size in sizes]
    return sum(
        PRODUCTS[order].multiply_adds(size, channels, reduced)
        for order, size in zip(orders, sizes, strict=True)
        if size
    )


def counted(module: nn.Module, maps: Tensor, masks: Tensor) -> dict[str, int]:
    """Return the multiply-adds of one forward pass by submodule, and in all ("Global"), as torch counts."""
    with FlopCounterMode(display=False) as counter:
        module(maps, masks)
    return {name: sum(by_operator.values()) // 2 for name, by_operator in counter.get_flop_counts().items()}
