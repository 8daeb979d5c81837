"""Refine one grid position of the correlation to a sharp mask, with finer and finer maps of the backbone.

Wang et al., CVPR 2019, figure 7 of the appendix; original: foolwood/SiamMask (MIT), class `Refine`.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from extract.trackers.siammask.backbone import Maps

SIZES = (31, 61, 127)  # of the mask after each step


class MaskRefinement(nn.Module):
    """The refinement. Its inputs are the maps of 64, 256 and 512 channels, and the correlation."""

    def __init__(self) -> None:
        super().__init__()
        self.v0 = _two_convs(64, 16, 4)
        self.v1 = _two_convs(256, 64, 16)
        self.v2 = _two_convs(512, 128, 32)
        self.h2 = _two_convs(32, 32, 32)
        self.h1 = _two_convs(16, 16, 16)
        self.h0 = _two_convs(4, 4, 4)
        self.deconv = nn.ConvTranspose2d(256, 32, 15, stride=15)
        self.post0 = nn.Conv2d(32, 16, 3, padding=1)
        self.post1 = nn.Conv2d(16, 4, 3, padding=1)
        self.post2 = nn.Conv2d(4, 1, 3, padding=1)

    def forward(self, maps: Maps, correlation: Tensor, grid_positions: list[tuple[int, int]]) -> Tensor:
        """Return mask logits (batch, 127, 127), one grid position (row, column) per picture.

        `correlation` is (batch, 256, 25, 25).
        """
        positions = grid_positions
        chosen = torch.stack([correlation[at, :, row, column] for at, (row, column) in enumerate(positions)])
        mask = self.deconv(chosen[:, :, None, None])
        steps = (
            (self.h2, self.v2, self.post0, _windows(maps[2], positions, stride=1, size=15)),
            (self.h1, self.v1, self.post1, _windows(maps[1], positions, stride=2, size=31)),
            (self.h0, self.v0, self.post2, _windows(maps[0], positions, stride=4, size=61)),
        )
        for (horizontal, vertical, post, window), size in zip(steps, SIZES, strict=True):
            mask = post(F.interpolate(horizontal(mask) + vertical(window), size=(size, size)))
        return mask[:, 0]


def _two_convs(channels: int, between: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, between, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(between, out_channels, 3, padding=1),
        nn.ReLU(inplace=True),
    )


def _windows(maps: Tensor, grid_positions: list[tuple[int, int]], *, stride: int, size: int) -> Tensor:
    """Return each grid position's window of a map, zeros outside: (batch, channel, size, size).

    The map is padded with 4 * stride zeros. One step on the grid is `stride` pixels of the map.
    """
    pad = 4 * stride
    padded = F.pad(maps, (pad, pad, pad, pad))
    return torch.stack(
        [
            padded[at, :, stride * row : stride * row + size, stride * column : stride * column + size]
            for at, (row, column) in enumerate(grid_positions)
        ]
    )
