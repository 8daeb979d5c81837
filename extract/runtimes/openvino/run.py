"""OpenVINO on a CPU: compiled for inputs one by one, two side by side. Importing this imports no torch.

One is as fast as any batch on a CPU, whose caches hold a clip, not sixteen of them; it also makes a feature
independent of what else is in its batch. Two side by side, each on half of the cores, spare them most of the
waiting for each other.
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
    """The program in OpenVINO, which takes a few seconds the first time.

    Raises `CannotRun` as `check_openvino` does, and where OpenVINO cannot convert the network.
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
        # Copied, for the next output is written to the same place.
        return [request.get_output_tensor().data.copy() for request, _ in started]

    def run(batch: np.ndarray) -> np.ndarray:
        step = len(requests)
        some = (batch[start : start + step] for start in range(0, len(batch), step))
        return np.concatenate([one for each in some for one in infer(each)])

    return run


def check_openvino(device: str, precision: Precision) -> None:
    """Raises `CannotRun` without OpenVINO, away from the CPU, or for a precision that this CPU lacks."""
    if not on_cpu(device):
        raise CannotRun(f"OpenVINO runs on the CPU here, not on {device}")
    try:
        with interrupts_wait():  # while its library is loaded, OpenVINO swallows a Ctrl-C
            import openvino
    except ImportError as error:
        raise CannotRun(f"OpenVINO is not installed ({install_command('openvino')})") from error
    able = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if precision != "fp32" and precision.upper() not in able:
        raise CannotRun(f"this CPU has no {precision}, and OpenVINO would run in fp32 instead")


def _compiled(program: Program, example: np.ndarray) -> "openvino.CompiledModel":
    """Recalled where it was kept; a network whose code others write is converted with every start."""
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
    except RuntimeError as error:  # OpenVINO's own have no other class
        log.info("%s is converted anew: %s", program.name, one_line(error, which=-1))
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
