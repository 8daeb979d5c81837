"""A network on its way to a runtime, and what a runtime makes of it. Importing this imports no torch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from aqa_pipeline.errors import AqaError

if TYPE_CHECKING:
    from torch import Tensor, nn

Precision = Literal["fp32", "bf16", "fp16"]
Runtime = Literal["auto", "eager", "compile", "openvino"]
RUNTIMES: tuple[Runtime, ...] = get_args(Runtime)

# A uint8 batch (B, [T,] H, W, 3) on the CPU -> float32 (B, ...) on the CPU.
Run = Callable[["Tensor"], "Tensor"]


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
    """What is to be run: `network` turns normalised pictures (B, 3, [T,] H, W) into features or maps.

    Pictures come as uint8, channels last; `mean` and `std`, per channel, belong to values of 0 to 1. `name`
    is for messages; `identity` says which weights, which output and which preprocessing these are.
    """

    name: str
    identity: str
    network: "nn.Module"
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    precision: Precision
    device: str


# Makes a program ready to run batches of the example's size; raises `CannotRun`.
Prepare = Callable[[Program, "Tensor"], Run]


@dataclass(frozen=True, eq=False)
class Chosen:
    """What runs a program. `reason` says why it is this runtime, and is empty where it was asked for."""

    runtime: Runtime
    run: Run
    reason: str = ""
