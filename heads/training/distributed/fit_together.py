"""`fit` by all processes that a launcher started: one run, as one process would write it.

    torchrun --nproc-per-node 2 --no-python aqa fit ...
    aqa fit --engine ray --together ...

The first process fits as if it were alone. The others train their part of every batch of its cells, and wait
otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from heads.training.distributed.world import World, joined_world
from heads.training.fit import CellToTrain, RunSummary, ShowProgress, fit_plan, torch_threads, train_in_turn
from heads.training.methods.by_recipe import fit_training
from heads.training.options import FitRequest
from heads.training.planning.plan import Plan
from heads.training.planning.resolve import resolve
from heads.training.train_cell import is_shared, make_training


def fit_together(request: FitRequest, progress: ShowProgress | None = None) -> RunSummary:
    """Fit as `fit` does, by all processes; every one of them returns the summary.

    Without other processes it is the same as `fit`. If the first process fails before training, it raises the
    error, and the others end with exit code 1.
    """
    with torch_threads(request.training.threads), joined_world(request.training.device) as world:
        plan = replace(world.first_then_others(partial(resolve, request)), world=world)
        return _lead(plan, progress, world) if world.is_first else _follow(plan, world)


def _lead(plan: Plan, progress: ShowProgress | None, world: World) -> RunSummary:
    leader = _Leader(world)
    try:
        summary = fit_plan(plan, progress, train_cells=leader.train)
    except BaseException:
        if not leader.has_begun:
            world.go_on_if(False)
        raise
    return world.tell(summary)


@dataclass
class _Leader:
    """The first process, which tells the others what is trained."""

    world: World
    has_begun: bool = False

    def train(self, plan: Plan, todo: Sequence[CellToTrain], progress: ShowProgress | None) -> None:
        self.has_begun = True
        self.world.go_on_if(True)
        self.world.tell([(cell.split.name, cell.seed) for cell in todo])
        train_in_turn(plan, todo, progress)


def _follow(plan: Plan, world: World) -> RunSummary:
    """Train this process's part of the cells that the first process trains, and write nothing."""
    world.go_on_if(False)
    splits = {split.name: split for split in plan.splits}
    todo: list[tuple[str, int]] = world.tell()
    for name, seed in todo:
        if is_shared(splits[name].recipe):
            fit_training(make_training(plan, splits[name], seed))
    summary: RunSummary = world.tell()
    return summary
