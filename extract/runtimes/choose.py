"""Which runtime runs a program: the one asked for, or the fastest that gives the same features.

`auto` measures on the first batch that comes, and remembers. It never compiles: that takes as long as the
extraction of minutes of video, and OpenVINO was faster wherever both were measured (docs/performance.md). On
a GPU it is torch as it is. Importing this imports no torch.
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
# One batch tells a speed to a fifth or so. Only a clear loss counts: a machine shall always choose the same.
CLEARLY_SLOWER = 0.8


def check_runtime(runtime: Runtime, *, device: str, precision: Precision) -> None:
    """Raises `AqaError` for a runtime that would refuse every network on this device: none need be loaded."""
    with asked_for(runtime):
        if runtime == "openvino":
            check_openvino(device, precision)
        elif runtime == "compile":
            from extract.runtimes.torch_compile import check_compiler

            check_compiler(device, precision)


@contextmanager
def asked_for(runtime: Runtime) -> Iterator[None]:
    """Where this very runtime was asked for, what it cannot run is an error, told with a way out."""
    try:
        yield
    except CannotRun as error:
        raise AqaError(f"--runtime {runtime}: {error}. Take another, such as --runtime eager.") from error


def choose_runtime(program: Program, wanted: Runtime, batch: np.ndarray) -> Chosen:
    """What runs the program from now on; `batch` is the first of those to come.

    Raises `AqaError` where the runtime asked for cannot; `auto` always finds one.
    """
    if wanted == "auto":
        return _fastest(program, batch)
    with asked_for(wanted):
        return Chosen(wanted, preparation(wanted)(program, batch))


def preparation(runtime: Runtime) -> Prepare:
    """What makes programs ready for that runtime. torch is imported only where it is to run them."""
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
    """Why OpenVINO is not taken, or nothing. In bf16 it may be twice as far from fp32 as torch itself is."""
    allowed = max(TOLERANCE, 2 * found.difference_of_eager)
    if not found.difference <= allowed:  # nor where it is nan
        return f"with OpenVINO features would differ by {found.difference:.0e}, more than {allowed:.0e}"
    if found.speedup < CLEARLY_SLOWER:
        return f"OpenVINO is {found.speedup:.2f} times as fast here"
    return ""


def _measure(program: Program, other: Run, batch: np.ndarray) -> Finding:
    """Eager and the other on this batch: a first time to warm up and be compared, a second to be timed."""
    from extract.runtimes.torch_eager import prepare_as_built

    eager = preparation("eager")(program, batch)
    reference = prepare_as_built(program, batch)(batch)
    distances = [relative_difference(run(batch), reference) for run in (eager, other)]
    speedup = _seconds(eager, batch) / _seconds(other, batch)
    return Finding(speedup=speedup, difference=distances[1], difference_of_eager=distances[0])


def relative_difference(output: np.ndarray, reference: np.ndarray) -> float:
    """The norm of the difference over that of the reference."""
    return float(np.linalg.norm(output - reference) / np.linalg.norm(reference))


def _seconds(run: Run, batch: np.ndarray) -> float:
    start = time.perf_counter()
    run(batch)
    return time.perf_counter() - start
