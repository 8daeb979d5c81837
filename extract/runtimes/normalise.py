"""Normalisation in front of a network: it goes along to where that runs, and only bytes are sent there."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from extract.full_precision import full_float32
from extract.runtimes.program import Precision, Program

DTYPES: dict[Precision, torch.dtype] = {
    "fp32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}


class FromBytes(nn.Module):
    """uint8 (B, [T,] H, W, 3) -> the network's output for the normalised pictures (B, 3, [T,] H, W)."""

    mean: Tensor
    std: Tensor

    def __init__(self, program: Program, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.tensor(program.mean) * 255, persistent=False)
        self.register_buffer("std", torch.tensor(program.std) * 255, persistent=False)

    def forward(self, batch: Tensor) -> Tensor:
        frames = batch.movedim(-1, 1).float()  # (B, [T,] H, W, C) -> (B, C, [T,] H, W), channels still last
        per_channel = (1, 3, *[1] * (frames.ndim - 2))
        normalised = frames.sub_(self.mean.view(per_channel)).div_(self.std.view(per_channel))
        output: Tensor = self.network(normalised)
        return output


class UpTo(nn.Module):
    """A network as far as an endpoint: it gives the maps there."""

    def __init__(self, network: nn.Module, endpoint: str) -> None:
        super().__init__()
        self.network, self.endpoint = network, endpoint

    def forward(self, pictures: Tensor) -> Tensor:
        forward_to = cast("Callable[[str, Tensor], Tensor]", self.network.forward_to)
        return forward_to(self.endpoint, pictures)


@contextmanager
def in_precision(program: Program) -> Iterator[None]:
    """Inside, products have the program's precision."""
    device, dtype = torch.device(program.device).type, DTYPES[program.precision]
    with full_float32(), torch.autocast(device, dtype=dtype, enabled=program.precision != "fp32"):
        yield


def on_device(batch: np.ndarray, device: str) -> Tensor:
    """The batch there. To a GPU it goes from pinned memory, and nobody waits for it."""
    there = torch.from_numpy(batch)
    if torch.device(device).type != "cuda":
        return there.to(device)
    return there.pin_memory().to(device, non_blocking=True)


def as_array(output: Tensor) -> np.ndarray:
    """What a network gave, back on the CPU in float32."""
    array: np.ndarray = output.float().cpu().numpy()
    return array
