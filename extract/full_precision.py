"""Single precision in full: left to itself, cuDNN convolves with ten bits of every factor on a GPU (TF32)."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def full_float32() -> Iterator[None]:
    """Inside, convolutions of float32 are what they say, so that devices do not differ in the third digit."""
    cudnn = torch.backends.cudnn
    before, cudnn.allow_tf32 = cudnn.allow_tf32, False
    try:
        yield
    finally:
        cudnn.allow_tf32 = before
