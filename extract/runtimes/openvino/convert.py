"""A network traced by torch and converted for OpenVINO."""

import warnings
from typing import TYPE_CHECKING

import numpy as np
import torch

from aqa_pipeline.interrupts import interrupts_wait
from extract.runtimes.normalise import FromBytes
from extract.runtimes.openvino.fold_padding import fold_padding
from extract.runtimes.openvino.winograd import spare_products
from extract.runtimes.program import CannotRun, Program, one_line

if TYPE_CHECKING:
    import openvino


def convert(program: Program, example: np.ndarray) -> "openvino.Model":
    """The program as OpenVINO's model of inputs of the example's size.

    Raises `CannotRun` where the network cannot be traced, or does what OpenVINO does not know.
    """
    import openvino

    module, pictures = FromBytes(program, program.network()), torch.from_numpy(example)
    try:
        # The tracer and OpenVINO call Python from C++, and go on after a Ctrl-C that arrives there.
        with interrupts_wait(), warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")  # of the tracer: shapes become constants, as they shall
            traced = torch.jit.trace(module, pictures, check_trace=False)
            model = openvino.convert_model(traced, example_input=pictures)
    except Exception as error:  # of the tracer or of OpenVINO, whose own share no class
        raise CannotRun(f"OpenVINO cannot convert {program.name} ({one_line(error, which=-1)})") from error
    model.reshape(list(example.shape))
    fold_padding(model)
    if program.precision == "fp32":
        spare_products(model)
    return model
