"""Run a program in OpenVINO on a CPU, one input per request, two requests at once.

One input per request is as fast as a larger batch on a CPU, whose caches hold one clip and not sixteen. It
also makes a feature independent of the rest of its batch. Two requests at once, each on half of the cores,
lose less time to cores that wait for each other. Importing this imports no torch.
"""

import io
import logging
from typing import TYPE_CHECKING

import numpy as np

from aqa_pipeline.installation import install_command
from aqa_pipeline.interrupts import interrupts_wait
from extract.runtimes.openvino.cache import conversion_name, keep_conversion, recall_conversion
from extract.runtimes.program import CannotRun, Precision, Program, Run, on_cpu, one_line
from extract.runtimes.threads import num_threads

if TYPE_CHECKING:
    import openvino

log = logging.getLogger(__name__)

HINTS: dict[Precision, str] = {"fp32": "f32", "bf16": "bf16"}
SIDE_BY_SIDE = 2


def prepare_openvino(program: Program, example: np.ndarray) -> Run:
    """Prepare the program for OpenVINO; the conversion takes a few seconds the first time.

    Raise `CannotRun` as `check_openvino` does, and if OpenVINO cannot convert the network.
    """
    check_openvino(program.device, program.precision)
    compiled = _compiled(program, example[:1])
    requests = [compiled.create_infer_request() for _ in range(_num_streams())]

    def infer(some: np.ndarray) -> list[np.ndarray]:
        started = [(request, some[at : at + 1]) for at, request in enumerate(requests[: len(some)])]
        for request, one in started:
            request.start_async([one], share_inputs=True)
        for request, _ in started:
            request.wait()
        # A copy, because the next output overwrites this memory.
        return [request.get_output_tensor().data.copy() for request, _ in started]

    def run(batch: np.ndarray) -> np.ndarray:
        step = len(requests)
        some = (batch[start : start + step] for start in range(0, len(batch), step))
        return np.concatenate([one for each in some for one in infer(each)])

    return run


def check_openvino(device: str, precision: Precision) -> None:
    """Raise `CannotRun` if OpenVINO is missing, the device is no CPU, or the CPU lacks the precision."""
    if not on_cpu(device):
        raise CannotRun(f"OpenVINO runs on the CPU here, not on {device}")
    try:
        with interrupts_wait():  # OpenVINO swallows a Ctrl-C while its library is loaded
            import openvino
    except ImportError as error:
        raise CannotRun(f"OpenVINO is not installed ({install_command('openvino')})") from error
    able = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if precision != "fp32" and precision.upper() not in able:
        raise CannotRun(f"this CPU has no {precision}, and OpenVINO would run in fp32 instead")


def _compiled(program: Program, example: np.ndarray) -> "openvino.CompiledModel":
    """Return the cached model, or convert the network. A plug-in's network is converted at every start."""
    name = conversion_name(program, example.shape)
    if program.ours and (kept := recall_conversion(name)) and (compiled := _imported(program, kept)):
        return compiled
    compiled, exported = _converted(program, example), io.BytesIO()
    if program.ours:
        compiled.export_model(exported)
        keep_conversion(name, exported.getvalue())
    return compiled


def _imported(program: Program, kept: bytes) -> "openvino.CompiledModel | None":
    import openvino

    try:
        return openvino.Core().import_model(kept, "CPU", _settings(program))
    except RuntimeError as error:  # the class of all of OpenVINO's errors
        log.info("%s is converted again: %s", program.name, one_line(error, which=-1))
        return None


def _converted(program: Program, example: np.ndarray) -> "openvino.CompiledModel":
    import openvino

    from extract.runtimes.openvino.convert import convert

    return openvino.Core().compile_model(convert(program, example), "CPU", _settings(program))


def _settings(program: Program) -> dict[str, object]:
    return {
        "INFERENCE_PRECISION_HINT": HINTS[program.precision],
        "INFERENCE_NUM_THREADS": num_threads(),
        "NUM_STREAMS": _num_streams(),
        "ENABLE_CPU_PINNING": False,  # several processes would be pinned to the same cores
    }


def _num_streams() -> int:
    return min(SIDE_BY_SIDE, num_threads())
