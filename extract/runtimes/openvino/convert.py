"""Trace a network with torch, and convert it for OpenVINO."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch

from aqa_pipeline.interrupts import interrupts_wait
from extract.runtimes.normalize import FromBytes
from extract.runtimes.openvino.fold_padding import fold_padding
from extract.runtimes.openvino.winograd import spare_products
from extract.runtimes.program import CannotRun, Program, one_line

if TYPE_CHECKING:
    import openvino


def convert(program: Program, example: np.ndarray) -> "openvino.Model":
    """Return the program as a model of OpenVINO for inputs of the example's shape.

    Raise `CannotRun` if the network cannot be traced, or has operations that OpenVINO lacks.
    """
    import openvino

    module, pictures = FromBytes(program, program.network()), torch.from_numpy(example)
    try:
        # The tracer and OpenVINO call Python from C++, where a Ctrl-C would be swallowed.
        with interrupts_wait(), warnings.catch_warnings(), _logging_kept(), torch.inference_mode():
            warnings.simplefilter("ignore")  # the tracer warns that shapes become constants, as intended
            traced = torch.jit.trace(module, pictures, check_trace=False)
            model = openvino.convert_model(traced, example_input=pictures)
    except Exception as error:  # the tracer's and OpenVINO's errors share no other class
        raise CannotRun(f"OpenVINO cannot convert {program.name} ({one_line(error, which=-1)})") from error
    model.reshape(list(example.shape))
    fold_padding(model)
    if program.precision == "fp32":
        spare_products(model)
    return model


@contextmanager
def _logging_kept() -> Iterator[None]:
    """Undo what the block does to the root logger: OpenVINO silences warnings where a conversion fails."""
    root = logging.getLogger()
    before = root.level, list(root.filters), list(root.handlers)
    try:
        yield
    finally:
        level, root.filters, root.handlers = before
        root.setLevel(level)
