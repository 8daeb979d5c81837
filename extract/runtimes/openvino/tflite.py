"""Run a network in the format of TensorFlow Lite in OpenVINO, which reads it without TensorFlow."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from aqa_pipeline.errors import WeightsError
from extract.runtimes.openvino.run import check_openvino
from extract.runtimes.program import CannotRun, one_line
from extract.runtimes.threads import num_threads

Infer = Callable[[np.ndarray], list[np.ndarray]]  # float32 (1, ...) -> the outputs in the file's order


def load_tflite(path: Path, *, needed_by: str) -> Infer:
    """Return the network of that file, on the CPU in float32.

    Raise `WeightsError` if OpenVINO is missing, with `needed_by` in its message, or cannot read the file.
    """
    try:
        check_openvino("cpu", "fp32")
    except CannotRun as error:
        raise WeightsError(f"{needed_by} runs in OpenVINO: {error}") from error
    import openvino

    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": num_threads()}
    try:
        compiled = openvino.Core().compile_model(str(path), "CPU", settings)
    except RuntimeError as error:  # the class of all of OpenVINO's errors
        raise WeightsError(f"OpenVINO cannot read {path}: {one_line(error, which=-1)}") from error

    def infer(batch: np.ndarray) -> list[np.ndarray]:
        found = compiled.create_infer_request().infer([batch])
        return [found[output].copy() for output in compiled.outputs]

    return infer
