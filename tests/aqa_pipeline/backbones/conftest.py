"""Golden outputs of the authors' code, and helpers to build, fill and measure networks."""

import importlib.util
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Size, Tensor, nn
from torch.func import functional_call
from torch.utils.flop_counter import FlopCounterMode

from aqa_pipeline.backbones import Cost

GOLDEN_RELATIVE = 1e-4  # another machine made the golden outputs, in fp32


class Golden:
    """Deterministic weights by official name, inputs, and the original code's outputs for them."""

    def __init__(self, inputs: ModuleType, outputs: dict[str, Any]) -> None:
        self._inputs, self._outputs = inputs, outputs

    def clip(self, num_frames: int, size: int) -> Tensor:
        return torch.from_numpy(self._inputs.clip(num_frames, size))

    def give_weights(self, network: nn.Module, official_name: Callable[[str], str] = str) -> nn.Module:
        state = {
            name: torch.from_numpy(np.asarray(self._inputs.weight(official_name(name), tuple(value.shape))))
            for name, value in network.state_dict().items()
        }
        network.load_state_dict(state)
        return network.eval()

    def check(self, output: Tensor, name: str, shape: list[int] | None = None) -> None:
        entry, values = self._outputs[name], output.double().numpy().ravel()
        assert list(output.shape) == (shape or entry["shape"])
        assert values.sum() == pytest.approx(entry["sum"], rel=GOLDEN_RELATIVE)
        assert np.abs(values).sum() == pytest.approx(entry["abs"], rel=GOLDEN_RELATIVE)
        np.testing.assert_allclose(values[:6], entry["first"], rtol=GOLDEN_RELATIVE, atol=GOLDEN_RELATIVE)


@pytest.fixture(scope="session")
def golden(shared) -> Golden:
    spec = importlib.util.spec_from_file_location("golden_inputs", shared / "golden" / "golden_inputs.py")
    inputs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(inputs)
    return Golden(inputs, json.loads((shared / "golden" / "nets_golden.json").read_text())["out"])


@pytest.fixture
def marked_state() -> Callable[[dict[str, Size]], dict[str, Tensor]]:
    """Return a function that makes a `state_dict` of shapes, each entry filled with its own number."""

    def make(shapes: dict[str, Size]) -> dict[str, Tensor]:
        return {
            name: torch.tensor(float(at)).expand(shape) for at, (name, shape) in enumerate(shapes.items())
        }

    return make


@pytest.fixture(scope="session")
def global_windows() -> Callable[[nn.Module], AbstractContextManager[None]]:
    """Return a context manager that makes a network's last average cover all of a smaller map."""

    @contextmanager
    def widened(network: nn.Module) -> Iterator[None]:
        windows = {name: m for name, m in network.named_modules() if isinstance(m, nn.AvgPool3d)}
        for name in windows:
            network.set_submodule(name, nn.AdaptiveAvgPool3d(1))
        yield
        for name, window in windows.items():
            network.set_submodule(name, window)

    return widened


@pytest.fixture(scope="session")
def measure_cost() -> Callable[[nn.Module, tuple[int, ...]], Cost]:
    """Return a function that counts the cost of one input of a shape, without the batch.

    Only shapes are computed, no values. Convolutions and matrix products count.
    """

    def measure(network: nn.Module, input_shape: tuple[int, ...]) -> Cost:
        tensors = [*network.named_parameters(), *network.named_buffers()]
        shapes_only = {name: tensor.to("meta") for name, tensor in tensors}
        example = torch.empty(1, *input_shape, device="meta")
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            functional_call(network, shapes_only, (example,))
        num_parameters = sum(parameter.numel() for parameter in network.parameters())
        return Cost(counter.get_total_flops() / 2 / 1e9, num_parameters)  # torch counts both operations

    return measure
