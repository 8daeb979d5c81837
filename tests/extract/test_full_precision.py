"""fp32 is fp32 on a GPU, too."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from extract.full_precision import full_float32
from extract.runtimes.choose import preparation
from extract.runtimes.program import Program


def test_within_it_nothing_is_rounded_and_afterwards_all_is_as_before() -> None:
    before = torch.backends.cudnn.allow_tf32
    with full_float32():
        assert not torch.backends.cudnn.allow_tf32
    assert torch.backends.cudnn.allow_tf32 == before
    with pytest.raises(ZeroDivisionError), full_float32():
        _ = 1 / 0
    assert torch.backends.cudnn.allow_tf32 == before


class Asks(nn.Module):
    """Gives 1 where convolutions may be rounded."""

    def forward(self, pictures: Tensor) -> Tensor:
        return pictures.new_full((len(pictures),), float(torch.backends.cudnn.allow_tf32))


def test_networks_run_within_it() -> None:
    torch.backends.cudnn.allow_tf32 = True  # torch's own choice
    program = Program("asks", "none", "all", Asks, (0.5,) * 3, (0.5,) * 3, "fp32", "cpu")
    pictures = np.zeros((2, 4, 4, 3), np.uint8)
    assert preparation("eager")(program, pictures)(pictures).tolist() == [0, 0]
