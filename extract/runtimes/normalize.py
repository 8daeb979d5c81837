"""Put a network's input normalization on its device, so that frames are sent there as bytes."""

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
    """A network that takes frames as bytes and normalizes them itself.

    Input: uint8 (batch, [frame,] height, width, 3). The network inside gets float32
    (batch, 3, [frame,] height, width).
    """

    mean: Tensor
    std: Tensor

    def __init__(self, program: Program, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.tensor(program.mean) * 255, persistent=False)
        self.register_buffer("std", torch.tensor(program.std) * 255, persistent=False)

    def forward(self, batch: Tensor) -> Tensor:
        """Return the network's output for uint8 frames."""
        frames = batch.movedim(-1, 1).float()  # channels become axis 1; in memory they stay last
        per_channel = (1, 3, *[1] * (frames.ndim - 2))
        normalized = frames.sub_(self.mean.view(per_channel)).div_(self.std.view(per_channel))
        output: Tensor = self.network(normalized)
        return output


class UpTo(nn.Module):
    """A network up to an endpoint: it returns the maps after the endpoint."""

    def __init__(self, network: nn.Module, endpoint: str) -> None:
        super().__init__()
        self.network, self.endpoint = network, endpoint

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the maps of normalized frames."""
        forward_to = cast("Callable[[str, Tensor], Tensor]", self.network.forward_to)
        return forward_to(self.endpoint, pictures)


@contextmanager
def in_precision(program: Program) -> Iterator[None]:
    """Compute products in the program's precision inside the `with` block."""
    device, dtype = torch.device(program.device).type, DTYPES[program.precision]
    with full_float32(), torch.autocast(device, dtype=dtype, enabled=program.precision != "fp32"):
        yield


def on_device(batch: np.ndarray, device: str) -> Tensor:
    """Return the batch on the device. The copy to a GPU starts from pinned memory and is not waited for."""
    there = torch.from_numpy(batch)
    if torch.device(device).type != "cuda":
        return there.to(device)
    return there.pin_memory().to(device, non_blocking=True)


def as_array(output: Tensor) -> np.ndarray:
    """Return a network's output as a float32 array on the CPU."""
    array: np.ndarray = output.float().cpu().numpy()
    return array
