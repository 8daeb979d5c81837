"""The deterministic weights and inputs of the authors' numbers, and a head with such weights."""

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import nn

Fill = Callable[[nn.Module, Mapping[str, list[int]]], None]


@pytest.fixture(scope="session")
def golden_inputs(shared: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("golden_inputs", shared / "golden" / "golden_inputs.py")
    assert spec is not None
    assert spec.loader is not None
    inputs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(inputs)
    return inputs


@pytest.fixture(scope="session")
def fill(golden_inputs: ModuleType) -> Fill:
    """Return the function that loads deterministic weights under the authors' names, strictly."""

    def load(module: nn.Module, shapes: Mapping[str, list[int]]) -> None:
        state = {
            name: torch.from_numpy(golden_inputs.weight(name, tuple(shape))) for name, shape in shapes.items()
        }
        module.load_state_dict(state, strict=True)

    return load
