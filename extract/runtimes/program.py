"""A network on its way to a runtime, and what a runtime makes of it. Importing this imports no torch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from aqa_pipeline.errors import AqaError

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

Precision = Literal["fp32", "bf16", "fp16"]
Runtime = Literal["auto", "eager", "compile", "openvino"]
RUNTIMES: tuple[Runtime, ...] = get_args(Runtime)

# A uint8 batch (B, [T,] H, W, 3) -> float32 (B, ...).
Run = Callable[["np.ndarray"], "np.ndarray"]


class CannotRun(AqaError):
    """A runtime that does not run a program here, and why, without a full stop."""


def on_cpu(device: str) -> bool:
    """`cpu` and `cpu:0` are one."""
    return device.partition(":")[0] == "cpu"


def one_line(error: Exception, *, which: int) -> str:
    """What an error of another library says: its first line (0), or its last (-1)."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines or [type(error).__name__])[which][:200]


@dataclass(frozen=True, eq=False)
class Program:
    """What is to be run: `network()` turns normalised pictures (B, 3, [T,] H, W) into features or maps.

    It is built when it is first called for, the same one ever after: a runtime that has kept what it made of
    it needs no network. Pictures come as uint8, channels last; `mean` and `std`, per channel, belong to
    values of 0 to 1. `name` is for messages; `weights` says which network with which weights, `output` what
    of it and of which preprocessing. `ours` means that these and this package's code decide on it all.
    """

    name: str
    weights: str
    output: str
    network: Callable[[], "nn.Module"]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    precision: Precision
    device: str
    ours: bool = False

    @property
    def identity(self) -> str:
        """What is computed, wherever and however it runs."""
        return f"{self.weights} {self.output}"


# Makes a program ready to run batches of the example's size; raises `CannotRun`.
Prepare = Callable[[Program, "np.ndarray"], Run]


@dataclass(frozen=True, eq=False)
class Chosen:
    """What runs a program. `reason` says why it is this runtime, and is empty where it was asked for."""

    runtime: Runtime
    run: Run
    reason: str = ""
