"""Choose the runtime of a program: the requested one, or the fastest that gives the same features.

`auto` measures on the first batch, and stores what it measured. It never compiles: compiling takes as long as
extracting minutes of video, and OpenVINO was faster in every measurement (docs/performance.md). On a GPU,
`auto` is eager torch. Importing this imports no torch.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from aqa_pipeline.errors import AqaError
from extract.runtimes.measured_speed import Finding, recall, remember
from extract.runtimes.openvino.run import check_openvino, prepare_openvino
from extract.runtimes.program import CannotRun, Chosen, Precision, Prepare, Program, Run, Runtime, on_cpu

TOLERANCE = 1e-3  # relative to the norm of the features
# A speed measured on one batch is off by up to a fifth. Eager is chosen only if OpenVINO is clearly slower,
# so that a machine makes the same choice every time.
CLEARLY_SLOWER = 0.8


def check_runtime(runtime: Runtime, *, device: str, precision: Precision) -> None:
    """Raise `AqaError`, before a network is loaded, for a runtime that cannot run on this device at all."""
    with explain_refusal(runtime):
        if runtime == "openvino":
            check_openvino(device, precision)
        elif runtime == "compile":
            from extract.runtimes.torch_compile import check_compiler

            check_compiler(device, precision)


@contextmanager
def explain_refusal(runtime: Runtime) -> Iterator[None]:
    """Turn `CannotRun` inside the `with` block into an `AqaError` that names another runtime."""
    try:
        yield
    except CannotRun as error:
        raise AqaError(f"--runtime {runtime}: {error}. Take another, such as --runtime eager.") from error


def choose_runtime(program: Program, wanted: Runtime, batch: np.ndarray) -> Chosen:
    """Return the runtime for a program, prepared for batches like `batch`, the first one.

    Raise `AqaError` if the requested runtime cannot run the program. `auto` always finds one.
    """
    if wanted == "auto":
        return _fastest(program, batch)
    with explain_refusal(wanted):
        return Chosen(wanted, preparation(wanted)(program, batch))


def preparation(runtime: Runtime) -> Prepare:
    """Return the function that prepares programs for that runtime. Only torch's runtimes import torch."""
    if runtime == "openvino":
        return prepare_openvino
    if runtime == "compile":
        from extract.runtimes.torch_compile import prepare_compiled

        return prepare_compiled
    from extract.runtimes.torch_eager import prepare_eager

    return prepare_eager


def _fastest(program: Program, batch: np.ndarray) -> Chosen:
    if not on_cpu(program.device):
        return _eager(program, batch, "the usual choice on a GPU")
    try:
        other = prepare_openvino(program, batch)
    except CannotRun as error:
        return _eager(program, batch, str(error))
    found = recall(program)
    if found is None:
        found = _measure(program, other, batch)
        remember(program, found)
    if reason := reason_against(found):
        return _eager(program, batch, reason)
    reason = f"{found.speedup:.1f} times as fast as eager here, features within {found.difference:.0e}"
    return Chosen("openvino", other, reason)


def _eager(program: Program, batch: np.ndarray, reason: str) -> Chosen:
    return Chosen("eager", preparation("eager")(program, batch), reason)


def reason_against(found: Finding) -> str:
    """Return why OpenVINO is not chosen; "" if it is.

    In bf16, OpenVINO's features may be twice as far from fp32 as eager torch's.
    """
    allowed = max(TOLERANCE, 2 * found.difference_of_eager)
    if not found.difference <= allowed:  # also true for nan
        return f"with OpenVINO features would differ by {found.difference:.0e}, more than {allowed:.0e}"
    if found.speedup < CLEARLY_SLOWER:
        return f"OpenVINO is {found.speedup:.2f} times as fast here"
    return ""


def _measure(program: Program, other: Run, batch: np.ndarray) -> Finding:
    """Run eager torch and the other runtime twice on a batch: compare the first outputs, time the second."""
    from extract.runtimes.torch_eager import prepare_as_built

    eager = preparation("eager")(program, batch)
    reference = prepare_as_built(program, batch)(batch)
    distances = [relative_difference(run(batch), reference) for run in (eager, other)]
    speedup = _seconds(eager, batch) / _seconds(other, batch)
    return Finding(speedup=speedup, difference=distances[1], difference_of_eager=distances[0])


def relative_difference(output: np.ndarray, reference: np.ndarray) -> float:
    """Return the norm of the difference divided by the norm of the reference."""
    return float(np.linalg.norm(output - reference) / np.linalg.norm(reference))


def _seconds(run: Run, batch: np.ndarray) -> float:
    start = time.perf_counter()
    run(batch)
    return time.perf_counter() - start
