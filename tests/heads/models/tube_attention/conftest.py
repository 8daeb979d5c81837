"""Small maps with tubes for the tests of tube attention."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

CHANNELS = 6


def ragged(*, channels_last: bool = False, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    """Return three videos of two clips, 6 channels, 3 steps of 3x2; tubes of some, no, and one position."""
    generator = torch.Generator().manual_seed(1)
    maps = torch.randn(3, 2, CHANNELS, 3, 3, 2, generator=generator, dtype=torch.float64).to(dtype)
    masks = torch.rand(3, 2, 3, 3, 2, generator=generator) < 0.4
    masks[1:] = False
    masks[2, 1, 0, 2, 1] = True
    return (maps.movedim(2, -1).contiguous().movedim(-1, 2) if channels_last else maps), masks


@pytest.fixture(scope="session", name="ragged")
def _ragged() -> Callable[..., tuple[Tensor, Tensor]]:
    """Return the function `ragged`."""
    return ragged
