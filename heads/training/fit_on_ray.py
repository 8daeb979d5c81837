"""`fit` with its cells trained by the workers of a Ray cluster: the same files as on one machine."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from aqa_pipeline.cluster import (
    Cluster,
    Done,
    Lost,
    Placement,
    Shared,
    Versions,
    WorkerPool,
    connect,
    pick_cluster_device,
    place,
    sharing,
)
from aqa_pipeline.errors import RunError
from heads.runs.trained_cell import TrainedCell
from heads.training.fit import CellToTrain, RunSummary, ShowProgress, fit_plan, torch_threads
from heads.training.options import FitRequest
from heads.training.planning.plan import Plan
from heads.training.planning.resolve import resolve
from heads.training.train_cell import train_cell

GPU_SHARE = 0.25  # of a cell: heads are small, one leaves most of a GPU idle


class CellWorker:
    """Train cells in a Ray actor by a plan of its own: the actor reads the features, none are sent."""

    def __init__(self, request: FitRequest, shared: Shared) -> None:
        import torch

        shared.enter()
        torch.set_num_threads(request.training.threads or 1)
        self._plan = resolve(request)
        self._splits = {split.name: split for split in self._plan.splits}
        self.facts = Versions()

    def work(self, items: Sequence[tuple[int, tuple[str, int]]]) -> Iterator[Done]:
        """Train and write the cells, each given by a split's name and a seed."""
        for index, (split, seed) in items:
            yield Done(index, train_cell(self._plan, self._splits[split], seed))


@dataclass(frozen=True)
class _Workers:
    """Workers that train cells on a cluster."""

    cluster: Cluster
    placement: Placement
    tell: Callable[[str], None]

    def train(self, plan: Plan, todo: Sequence[CellToTrain], progress: ShowProgress | None) -> None:
        if not todo:
            return
        request = plan.request.with_training(device=plan.device)
        placement = replace(self.placement, num_workers=min(self.placement.num_workers, len(todo)))
        self.tell(f"{self.cluster}; {placement}")
        with sharing(request.out, inputs=[request.store.root]) as shared:
            pool = WorkerPool(partial(CellWorker, request, shared), placement)
            try:
                _train(pool, todo, progress)
            finally:
                pool.close()


def _train(pool: WorkerPool, todo: Sequence[CellToTrain], progress: ShowProgress | None) -> None:
    lost, num_before = [], todo[0].num_cells - len(todo)
    for _, event in pool.run([(cell.split.name, cell.seed) for cell in todo]):
        if isinstance(event, Lost):
            cell = todo[event.index]
            lost.append(f"  split {cell.split.name}, seed {cell.seed}: {event.reason}")
        elif isinstance(event, Done):
            num_before += 1
            if progress is not None:
                _tell_of(replace(todo[event.index], number=num_before), event.result, progress)
    if lost:
        raise RunError(
            "these cells could not be trained, the others are done:\n"
            + "\n".join(lost)
            + "\nThe same command "
            "goes on where this one stopped; fewer --actors leave each more memory."
        )


def _tell_of(cell: CellToTrain, trained: TrainedCell, progress: ShowProgress) -> None:
    progress(cell.progress(trained.epochs[-1]))


def fit_on_ray(
    request: FitRequest,
    progress: ShowProgress | None = None,
    *,
    address: str | None,
    actors: int | None,
    tell: Callable[[str], None],
) -> RunSummary:
    """Fit as `fit` does; without `threads` each cell has one thread.

    `progress` gets one call per cell, in the order in which they end. `tell` gets a sentence on where the
    cells are trained. Raises `ClusterError` also.
    """
    num_threads = request.training.threads or 1
    request = request.with_training(threads=num_threads)
    with connect(address) as cluster, torch_threads(num_threads):
        device = pick_cluster_device(request.training.device, cluster)
        placement = place(cluster, device=device, cpus=num_threads, gpus=GPU_SHARE, actors=actors)
        plan = replace(resolve(request.with_training(device="cpu")), request=request, device=device)
        return fit_plan(plan, progress, train_cells=_Workers(cluster, placement, tell).train)
