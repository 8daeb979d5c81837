"""Convolve in full float32 on a GPU: cuDNN's default, TF32, keeps ten bits of every factor's mantissa."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def full_float32() -> Iterator[None]:
    """Switch TF32 off inside the `with` block, so that devices do not differ in the third digit."""
    cudnn = torch.backends.cudnn
    before, cudnn.allow_tf32 = cudnn.allow_tf32, False
    try:
        yield
    finally:
        cudnn.allow_tf32 = before
