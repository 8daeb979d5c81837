"""A program, which is a network with all that a runtime needs to run it. Importing this imports no torch."""

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

# A uint8 batch (batch, [frame,] height, width, 3) -> float32 (batch, ...).
Run = Callable[["np.ndarray"], "np.ndarray"]


class CannotRun(AqaError):
    """A runtime cannot run a program on this machine. The message gives the reason, without a full stop."""


def on_cpu(device: str) -> bool:
    """Return True for the CPU, `cpu` or `cpu:0`."""
    return device.partition(":")[0] == "cpu"


def one_line(error: Exception, *, which: int) -> str:
    """Return the first (0) or last (-1) line of another library's error message, up to 200 characters."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines or [type(error).__name__])[which][:200]


@dataclass(frozen=True, eq=False)
class Program:
    """A network with all that a runtime needs to run it.

    `network()` returns the network, which turns normalized frames (batch, 3, [frame,] height, width) into
    features or maps. The network is built at the first call. A runtime that has cached a converted network
    does not call it. Frames come as uint8, channels last. `mean` and `std` are per channel, for values from
    0 to 1. `name` is for messages. `weights` names the network and its weights, `output` the preprocessing
    and what is computed. `ours` means that `weights`, `output` and this package's code determine the result,
    so that a conversion may be cached.
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
        """What is computed, independent of device and runtime."""
        return f"{self.weights} {self.output}"


# Prepares a program for batches of the example's size; raises `CannotRun`.
Prepare = Callable[[Program, "np.ndarray"], Run]


@dataclass(frozen=True, eq=False)
class Chosen:
    """The chosen runtime of a program. `reason` says why; it is "" for a requested runtime."""

    runtime: Runtime
    run: Run
    reason: str = ""
