"""`fit` by the workers of a Ray cluster together: Ray Train starts them, as `torchrun` does elsewhere.

    aqa fit --engine ray --together ...

Ray Train runs in a process of its own on this node, so that its messages go to Ray's log files. A queue
brings what the workers tell the command. If a worker is lost, Ray Train starts all of them again, and a
training goes on after its last whole epoch.
"""

import logging
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch.distributed as dist

from aqa_pipeline.cluster import (
    PATIENCE_SECONDS,
    Placement,
    Shared,
    check_room,
    connect,
    import_ray_train,
    pick_cluster_device,
    place,
    reason_of,
    sharing,
)
from aqa_pipeline.errors import AqaError, ClusterError, RunError
from heads.training.distributed.fit_together import fit_together
from heads.training.distributed.world import LONGEST_WAIT
from heads.training.fit import Progress, RunSummary, ShowProgress
from heads.training.options import FitRequest
from heads.training.planning.plan import Plan
from heads.training.planning.resolve import resolve

log = logging.getLogger(__name__)

MAX_RESTARTS = 3  # of all workers in one fit, before it ends with an error
POLL_SECONDS = 1.0
RESTARTED = "a worker was lost: all workers were started again, and go on after the last whole epoch."
GO_ON = "The same command goes on where this one stopped."


@dataclass(frozen=True)
class Begun:
    """The workers have found each other."""


@dataclass(frozen=True)
class WorkerPart:
    """The part of a fit that each worker does. It tells the command by `told`, a queue of Ray."""

    request: FitRequest
    shared: Shared
    told: Any

    def fit(self) -> None:
        """Fit with the other workers. An `AqaError` is told, because it would come again."""
        try:
            self._enter()
            summary = fit_together(self.request, self.told.put)
        except AqaError as error:
            self.told.put(error)
            raise
        if dist.get_rank() == 0:
            self.told.put(summary)

    def _enter(self) -> None:
        self.shared.enter()
        if dist.get_rank() == 0:
            self.told.put(Begun())


def fit_together_on_ray(
    request: FitRequest,
    progress: ShowProgress | None = None,
    *,
    address: str | None,
    actors: int | None,
    tell: Callable[[str], None],
    max_restarts: int = MAX_RESTARTS,
) -> RunSummary:
    """Fit as `fit_together` does, by the workers of a cluster; without `threads` each has one thread.

    By default there are as many workers as the cluster has room for, at most one per video of a batch.
    `progress` gets every epoch; after a restart it gets the earlier ones again. `tell` gets a sentence on
    where the workers are. Raises `ClusterError` also, and `RunError` if workers were lost too often.
    """
    import_ray_train()
    num_threads = request.training.threads or 1
    with connect(address) as cluster:
        device = pick_cluster_device(request.training.device, cluster)
        placement = place(cluster, device=device, cpus=num_threads, actors=actors)
        plan = resolve(request.with_training(device="cpu"))  # its errors need no worker
        if actors is None:
            placement = replace(placement, num_workers=min(placement.num_workers, _smallest_batch(plan)))
        check_room(placement, cluster)
        tell(f"{cluster}; {placement}, which train every cell together")
        request = request.with_training(device=device, threads=num_threads)
        with sharing(request.out, inputs=[request.store.root]) as shared:
            return _fit(request, shared, placement, max_restarts, progress)


def _smallest_batch(plan: Plan) -> int:
    return min(split.recipe.batch_size for split in plan.splits)


def _fit(
    request: FitRequest,
    shared: Shared,
    placement: Placement,
    max_restarts: int,
    progress: ShowProgress | None,
) -> RunSummary:
    """Start the workers, and return what the first one says at last. The end of the connection ends them."""
    import ray
    from ray.util.queue import Queue
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    on_this_node = {"num_cpus": 0, "scheduling_strategy": here}
    told = Queue(actor_options=on_this_node)
    launch = ray.remote(_launch).options(**on_this_node, max_retries=0)
    with tempfile.TemporaryDirectory(prefix="aqa-ray-train-") as folder:
        launched = launch.remote(WorkerPart(request, shared, told), placement, max_restarts, folder)
        try:
            return _listen(told, launched, placement, progress)
        except ray.exceptions.RayError as error:
            reason = getattr(error, "cause", None) or reason_of(error)
            raise ClusterError(f"Ray Train stopped: {reason}. {GO_ON}") from error


def _listen(told: Any, launched: Any, placement: Placement, progress: ShowProgress | None) -> RunSummary:
    """Show what the workers tell until it is the summary. Raise the first error of them or of Ray Train."""
    patient_until, has_begun = time.monotonic() + PATIENCE_SECONDS, False
    while True:
        heard = _hear(told, launched)
        if isinstance(heard, RunSummary):
            return heard
        if isinstance(heard, AqaError):
            raise heard
        if isinstance(heard, Begun):
            if has_begun:
                log.warning(RESTARTED)
            has_begun = True
        if isinstance(heard, Progress) and progress is not None:
            progress(heard)
        if heard is not None:
            patient_until = float("inf")
        elif time.monotonic() > patient_until:
            log.warning(
                "the workers have not begun: is there room for %s? Run `ray status` to see.", placement
            )
            patient_until = float("inf")


def _hear(told: Any, launched: Any) -> Begun | Progress | RunSummary | AqaError | None:
    """Return what a worker tells next, None after a second of silence; raise `RunError` if all is over."""
    import ray
    from ray.util.queue import Empty

    has_ended = bool(ray.wait([launched], timeout=0)[0])
    try:
        heard: Begun | Progress | RunSummary | AqaError = told.get(timeout=POLL_SECONDS)
        return heard
    except Empty:
        if has_ended:
            raise RunError(ray.get(launched)) from None
    return None


def _launch(part: WorkerPart, placement: Placement, max_restarts: int, folder: str) -> str:
    """Train by Ray Train with its files in `folder`; return why it failed, "" if it did not."""
    from ray.train import FailureConfig, RunConfig, ScalingConfig, TrainingFailedError
    from ray.train.torch import TorchConfig, TorchTrainer

    on_gpu = placement.num_gpus > 0
    trainer = TorchTrainer(
        part.fit,
        scaling_config=ScalingConfig(
            num_workers=placement.num_workers,
            use_gpu=on_gpu,
            resources_per_worker={"CPU": placement.num_cpus}
            | ({"GPU": placement.num_gpus} if on_gpu else {}),
        ),
        run_config=RunConfig(
            name="fit", storage_path=folder, failure_config=FailureConfig(max_failures=max_restarts)
        ),
        torch_config=TorchConfig(
            backend="cpu:gloo,cuda:nccl" if on_gpu else "gloo", timeout_s=int(LONGEST_WAIT.total_seconds())
        ),
    )
    try:
        trainer.fit()
    except TrainingFailedError as error:
        return _why(error)
    return ""


def _why(error: Any) -> str:
    """Return why Ray Train gave up, with a line for every worker that failed last."""
    failures: dict[int, Exception] | None = getattr(error, "worker_failures", None)
    if not failures:
        return f"Ray Train stopped: {_reason(getattr(error, 'controller_failure', error))}. {GO_ON}"
    reasons = [f"  worker {rank}: {_reason(failure)}" for rank, failure in sorted(failures.items())]
    advice = f"{GO_ON} Fewer --actors leave each more memory. Ray's folder logs/train has the tracebacks."
    return "\n".join(["workers were lost too often, at last:", *reasons, advice])


def _reason(failure: Exception) -> str:
    """Return in a line why a worker is dead, or which error ended it."""
    from ray.exceptions import RayError

    death = getattr(failure, "health_check_failure", failure)
    if isinstance(death, RayError):
        return reason_of(death)
    return f"{type(death).__name__}: {death}".splitlines()[0]
