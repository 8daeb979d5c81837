"""Run many fits, several at once, and continue where an earlier call stopped.

Each fit has a run directory of its own, as `aqa fit` writes it, so a kill loses only the trained cell (split
and seed) in training. Processes are spawned, because torch and CUDA do not survive a fork. A worker ends at
the next epoch after Ctrl-C, and at once when its parent is gone.
"""

import logging
import multiprocessing
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import wait as wait_for
from multiprocessing.process import BaseProcess
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from typing import Any, Protocol

from aqa_pipeline.errors import AqaError, RunError
from aqa_pipeline.plugins import PluginFile, files_plugged_in, plug_in
from heads.training.fit import Progress, ShowProgress, fit
from heads.training.options import FitRequest
from heads.training.pool.workload import Load, Place, Workload

log = logging.getLogger(__name__)

POLL_SECONDS = 0.2

Report = Callable[[Place, int], None]  # (fit, number of its epochs done)
FitWith = Callable[[FitRequest, ShowProgress], object]


class FitTask(Protocol):
    """A fit in plain values that can be sent to another process.

    `num_epochs` are those of all its splits and seeds.
    """

    @property
    def place(self) -> Place:
        """The name of the fit."""
        ...

    @property
    def num_epochs(self) -> int:
        """The epochs of all splits and seeds."""
        ...

    @property
    def load(self) -> Load:
        """The epochs, and the guessed time of one."""
        ...

    def request(self) -> FitRequest:
        """Return the fit; load the labels of its dataset."""
        ...


@dataclass(frozen=True)
class Outcome:
    """The end of a fit: `error` is None if all its splits and seeds are trained."""

    place: Place
    error: str | None


@dataclass(frozen=True)
class Advance:
    """The progress of all fits; `seconds_left` is None until a fit has been timed."""

    num_done: int
    num_epochs: int
    seconds_left: float | None
    place: Place


class _Stopped(Exception):
    """Raised in the training of a worker after Ctrl-C."""


def run_fits(
    tasks: Sequence[FitTask],
    *,
    is_finished: Callable[[Any], bool],
    jobs: int,
    progress: Callable[[Advance], None] | None = None,
    fit_with: FitWith | None = None,
) -> list[Outcome]:
    """Run every fit for which `is_finished(task)` is False, the longest first.

    `fit_with` runs each fit in the place of `fit`, in this process, so with one job. A failure does not stop
    the others. `KeyboardInterrupt` stops the workers and is raised again. Raises `RunError` if a worker is
    killed from outside, such as for memory.
    """
    finished = [task for task in tasks if is_finished(task)]
    left = sorted((task for task in tasks if task not in finished), key=_guess, reverse=True)
    jobs = 1 if fit_with else max(1, min(jobs, len(left)))
    workload = Workload({task.place: task.load for task in tasks}, jobs)

    def report(place: Place, num_epochs: int) -> None:
        workload.see(place, num_epochs, at_seconds=time.monotonic())
        if progress is not None:
            progress(Advance(workload.num_done, workload.num_epochs, workload.seconds_left(), place))

    def end(outcome: Outcome) -> Outcome:
        report(outcome.place, workload.loads[outcome.place].num_epochs)
        return outcome

    outcomes = [end(Outcome(task.place, None)) for task in finished]
    if jobs == 1:
        return outcomes + [end(run_fit(task, report, fit_with)) for task in left]
    with _workers(jobs) as pool:
        return outcomes + [end(outcome) for outcome in pool.outcomes(left, report)]


def run_fit(task: FitTask, report: Report, fit_with: FitWith | None = None) -> Outcome:
    """Run one fit; an error becomes the outcome. One that is no `AqaError` is logged with its traceback."""
    place = task.place

    def show(progress: Progress) -> None:
        epoch = progress.epoch.epoch if progress.epoch else 0
        done = (progress.cell - 1) / progress.num_cells * task.num_epochs + epoch
        report(place, min(round(done), task.num_epochs))

    try:
        (fit_with or fit)(task.request(), show)
    except AqaError as error:
        return Outcome(place, str(error))
    except _Stopped:
        raise
    except Exception as error:  # a mistake in one head must not cost the others
        log.exception("%s failed", " ".join(place))
        return Outcome(place, f"{type(error).__name__}: {error}")
    return Outcome(place, None)


def _guess(task: FitTask) -> float:
    return task.load.num_epochs * task.load.guessed_seconds


@dataclass(frozen=True)
class _Pool:
    """Worker processes and the queue on which they report their progress."""

    executor: ProcessPoolExecutor
    messages: "Queue[tuple[Place, int]]"

    def outcomes(self, tasks: Sequence[FitTask], report: Report) -> Iterator[Outcome]:
        """Yield outcomes as they come, and pass on the workers' progress in between."""
        running: set[Future[Outcome]] = {self.executor.submit(_in_worker, task) for task in tasks}
        while running:
            self._pass_on(report)
            done, running = wait(running, timeout=0)
            for future in done:
                try:
                    yield future.result()
                except BrokenProcessPool as error:
                    raise RunError(
                        "a training process was killed from outside, most often because memory ran out. Use "
                        "fewer --jobs; the same command continues where it stopped."
                    ) from error

    def _pass_on(self, report: Report) -> None:
        deadline = time.monotonic() + POLL_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            try:
                report(*self.messages.get(timeout=left))
            except queue.Empty:
                return


@contextmanager
def _workers(jobs: int) -> Iterator[_Pool]:
    context = multiprocessing.get_context("spawn")
    messages: Queue[tuple[Place, int]] = context.Queue()
    stop = context.Event()
    executor = ProcessPoolExecutor(
        jobs, context, initializer=_begin, initargs=(messages, stop, files_plugged_in())
    )
    try:
        yield _Pool(executor, messages)
    except BaseException:
        stop.set()
        raise
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
        messages.close()


# The queue and the event of a worker: they reach a spawned process only through its initializer.
_channel: dict[str, Any] = {}


def _begin(messages: "Queue[tuple[Place, int]]", stop: Event, plugins: Sequence[PluginFile]) -> None:
    """Set up a worker with the caller's plug-ins: the parent handles Ctrl-C, and no worker outlives it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    messages.cancel_join_thread()  # unread messages must not keep a worker alive
    _channel.update(messages=messages, stop=stop)
    for plugin in plugins:
        plug_in(plugin)


def _die_with_parent() -> None:
    wait_for([_parent().sentinel])
    os._exit(1)


def _parent() -> BaseProcess:
    parent = multiprocessing.parent_process()
    assert parent is not None, "a worker has a parent"
    return parent


def _in_worker(task: FitTask) -> Outcome:
    def report(place: Place, num_epochs: int) -> None:
        if not _parent().is_alive():  # the waiting thread may get no time beside a busy one
            os._exit(1)
        if _channel["stop"].is_set():
            raise _Stopped
        _channel["messages"].put((place, num_epochs))

    try:
        report(task.place, 0)
        return run_fit(task, report)
    except _Stopped:
        return Outcome(task.place, "stopped")
