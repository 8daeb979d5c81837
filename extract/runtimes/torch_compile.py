"""Runtime `compile`: torch.compile with frozen weights and one batch size; on a GPU as a CUDA graph."""

import os
import shutil
from typing import Any

import numpy as np
import torch
from torch import Tensor

from extract.runtimes.batching import FixedBatch
from extract.runtimes.normalize import FromBytes, as_array, in_precision, on_device
from extract.runtimes.program import CannotRun, Precision, Program, Run, on_cpu, one_line

COMPILERS = ("g++", "clang++", "c++") if os.name == "posix" else ("cl",)


def prepare_compiled(program: Program, example: np.ndarray) -> Run:
    """Compile the program for batches of the example's size, which takes half a minute or more.

    Raise `CannotRun` as `check_compiler` does, and if torch cannot compile the network.
    """
    check_compiler(program.device, program.precision)
    module = FromBytes(program, program.network()).to(program.device)
    options: dict[str, Any] = {"freezing": True, "triton.cudagraphs": not on_cpu(program.device)}
    compiled = torch.compile(module, dynamic=False, options=options)

    def run(batch: np.ndarray) -> np.ndarray:
        with torch.no_grad(), in_precision(program):  # inference mode would forbid freezing weights
            output: Tensor = compiled(on_device(batch, program.device))
        return as_array(output)

    fixed = FixedBatch(run)
    try:
        fixed(example)
    except torch._dynamo.exc.TorchDynamoException as error:
        raise CannotRun(f"torch cannot compile {program.name} ({one_line(error, which=0)})") from error
    return fixed


def check_compiler(device: str, precision: Precision) -> None:
    """Raise `CannotRun` if torch would not find a compiler for programs on this device."""
    wanted = (os.environ["CXX"],) if "CXX" in os.environ else COMPILERS
    if on_cpu(device) and not any(shutil.which(name) for name in wanted):
        raise CannotRun(f"compiling needs a C++ compiler, and there is none here ({', '.join(wanted)})")
