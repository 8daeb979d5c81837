"""A small network, as a program, with every operation that a runtime may get wrong."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from extract.runtimes.program import Program

SIZE, FRAMES, WIDTH = 12, 6, 5


class Small(nn.Module):
    """A network of convolutions, normalization and a residual sum; control flow on the shape if asked."""

    def __init__(self, *, clips: bool, looks_at_shape: bool) -> None:
        super().__init__()
        conv, norm = (nn.Conv3d, nn.BatchNorm3d) if clips else (nn.Conv2d, nn.BatchNorm2d)
        self.looks_at_shape = looks_at_shape
        self.stem = nn.Sequential(conv(3, WIDTH, 3, padding=1, bias=False), norm(WIDTH, eps=1e-3), nn.ReLU())
        self.block = nn.Sequential(conv(WIDTH, WIDTH, 1), norm(WIDTH), nn.ReLU(inplace=True))

    def forward(self, pictures: Tensor) -> Tensor:
        return self.forward_to("block", pictures).flatten(2).mean(2)

    def forward_to(self, endpoint: str, pictures: Tensor) -> Tensor:
        if self.looks_at_shape and pictures.shape[-1] < 2:
            raise ValueError("too small")
        x = self.stem(pictures)
        return x if endpoint == "stem" else x + self.block(x)


@pytest.fixture
def make_program() -> Callable[..., Program]:
    """Return a function that makes a program of the small network with random weights and statistics."""

    def make(*, clips: bool = True, looks_at_shape: bool = False, **other: object) -> Program:
        generator = torch.Generator().manual_seed(0)
        network = Small(clips=clips, looks_at_shape=looks_at_shape).eval()
        with torch.no_grad():
            for name, value in network.state_dict().items():
                if value.is_floating_point():
                    drawn = torch.rand(value.shape, generator=generator)
                    value.copy_(0.5 + drawn if "var" in name else drawn - 0.4)
        program = Program(
            name="small",
            weights="small random:0",
            output="none features",
            network=lambda: network,
            mean=(0.5, 0.4, 0.3),
            std=(0.2, 0.3, 0.4),
            precision="fp32",
            device="cpu",
            ours=True,
        )
        return replace(program, **other)

    return make


@pytest.fixture
def make_batch() -> Callable[..., np.ndarray]:
    def make(number: int, *, clips: bool = True) -> np.ndarray:
        shape = (number, FRAMES, SIZE, SIZE, 3) if clips else (number, SIZE, SIZE, 3)
        return np.random.default_rng(number).integers(0, 256, shape, np.uint8)

    return make


@pytest.fixture
def by_hand() -> Callable[[Program, np.ndarray], np.ndarray]:
    """Return a function that runs the unfolded network in float64 on frames normalized by the formula."""

    def compute(program: Program, batch: np.ndarray) -> np.ndarray:
        normalized = (batch / 255 - np.array(program.mean)) / np.array(program.std)
        pictures = torch.from_numpy(normalized).movedim(-1, 1)
        network = program.network().double()
        with torch.no_grad():
            output = network(pictures).numpy()
        network.float()
        return output

    return compute
