"""A run: one directory with all that was asked, trained and found; resumable cell by cell.

config.json         every choice, resolved: repeating the run needs nothing else
environment.json    the machine and the libraries
split-NAME/seed-K/  one trained cell (heads/runs/trained_cell.py)
split-NAME/training_statistics.json  what its training videos were like (heads/runs/training_statistics.py)
split-NAME/baselines.csv  what the training mean and ridge regression predict (heads/evaluation/baselines.py)
summary.json, .csv  the evaluation of all cells
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from aqa_pipeline.files import clear_left_overs
from aqa_pipeline.folder_lock import sole_writer
from aqa_pipeline.store import write_whole
from heads.evaluation.baselines import write_baselines
from heads.evaluation.evaluate import evaluate
from heads.evaluation.run_scores import Evaluation
from heads.runs.epoch import Epoch
from heads.runs.trained_cell import cell_folder, is_complete, split_folder, write_rows
from heads.training.notes import notes_on
from heads.training.options import FitRequest
from heads.training.plan import Plan, SplitPlan
from heads.training.resolve import resolve
from heads.training.run_folder import open_run
from heads.training.train_cell import train_cell, write_statistics


@dataclass(frozen=True)
class Progress:
    """The cell that is trained, the `cell`-th of `num_cells`, and the epoch that it has just finished."""

    split: str
    seed: int
    cell: int
    num_cells: int
    num_epochs: int
    epoch: Epoch


@dataclass(frozen=True)
class RunSummary:
    """What `fit` did. `notes` are the sentences that a reader of the numbers must know."""

    run_dir: Path
    evaluation: Evaluation
    num_trained: int
    num_resumed: int
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class CellToTrain:
    """A cell that the run does not hold yet, the `number`-th of `num_cells`, counted from 1."""

    split: SplitPlan
    seed: int
    number: int
    num_cells: int

    def progress(self, epoch: Epoch) -> Progress:
        """Return the progress of this cell after an epoch."""
        split = self.split
        return Progress(split.name, self.seed, self.number, self.num_cells, split.recipe.epochs, epoch)


ShowProgress = Callable[[Progress], None]
TrainCells = Callable[[Plan, Sequence[CellToTrain], ShowProgress | None], None]


def fit(request: FitRequest, progress: ShowProgress | None = None) -> RunSummary:
    """Train every split and seed that the run directory does not hold yet, and evaluate all of them.

    The same request again trains nothing twice. Raises `RunError` if the directory holds another run.
    """
    with torch_threads(request.training.threads):
        return fit_plan(resolve(request), progress, train_cells=_train_in_turn)


def fit_plan(plan: Plan, progress: ShowProgress | None, *, train_cells: TrainCells) -> RunSummary:
    """Fit a plan as `fit` does; `train_cells` writes the cells that the run does not hold yet.

    Raises `RunError` also if another command is writing into the run.
    """
    with sole_writer(plan.request.out):
        return _fit_plan(plan, progress, train_cells=train_cells)


def _fit_plan(plan: Plan, progress: ShowProgress | None, *, train_cells: TrainCells) -> RunSummary:
    request = plan.request
    for folder in (request.out, *(split_folder(request.out, split.name) for split in plan.splits)):
        clear_left_overs(folder)
    open_run(request.out, plan.config())
    cells = [(split, seed) for split in plan.splits for seed in request.training.seeds]
    todo = [
        CellToTrain(split, seed, number, len(cells))
        for number, (split, seed) in enumerate(cells, start=1)
        if not is_complete(cell_folder(request.out, split=split.name, seed=seed))
    ]
    train_cells(plan, todo, progress)
    for split in plan.splits:
        write_statistics(plan, split)  # also of splits with nothing left to train
        _write_baselines(plan, split)
    notes = notes_on(plan)
    evaluation = evaluate(request.out)
    _write_summary(request.out, evaluation, notes)
    return RunSummary(request.out, evaluation, len(todo), len(cells) - len(todo), notes)


def _train_in_turn(plan: Plan, todo: Sequence[CellToTrain], progress: ShowProgress | None) -> None:
    for cell in todo:
        train_cell(plan, cell.split, cell.seed, _reporter(progress, cell))


def _write_baselines(plan: Plan, split: SplitPlan) -> None:
    write_baselines(
        split_folder(plan.request.out, split.name),
        lambda: plan.load(split.video_ids),
        train=split.train,
        test=split.test,
    )


def _reporter(progress: ShowProgress | None, cell: CellToTrain) -> Callable[[Epoch], None] | None:
    return None if progress is None else lambda epoch: progress(cell.progress(epoch))


def _write_summary(run_dir: Path, evaluation: Evaluation, notes: tuple[str, ...]) -> None:
    write_whole(run_dir / "summary.json", _json(evaluation.to_dict() | {"notes": list(notes)}))
    write_rows(run_dir / "summary.csv", evaluation.rows())


def _json(values: Mapping[str, Any]) -> bytes:
    return (json.dumps(values, indent=2, allow_nan=False) + "\n").encode()


@contextmanager
def torch_threads(number: int | None) -> Iterator[None]:
    """Set torch's thread count inside: results depend on it in the last bits, so a repeated run sets it."""
    before = torch.get_num_threads()
    torch.set_num_threads(number or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
