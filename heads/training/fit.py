"""A run: one directory with all that was asked, trained and found; resumable cell by cell.

config.json         every choice, resolved: repeating the run needs nothing else
environment.json    the machine and the libraries
split-NAME/seed-K/  one trained cell (heads/runs/trained_cell.py)
split-NAME/training_statistics.json  what its training videos were like (heads/runs/training_statistics.py)
split-NAME/baselines.csv  what the baselines predict (heads/evaluation/baselines.py)
summary.json, .csv  the evaluation of all cells
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from aqa_pipeline.disk.files import clear_left_overs
from aqa_pipeline.disk.folder_lock import sole_writer
from aqa_pipeline.store import write_whole
from heads.evaluation.against_baselines import AgainstBaselines, against_baselines
from heads.evaluation.baselines import write_baselines
from heads.evaluation.evaluate import evaluate
from heads.evaluation.run_scores import Evaluation
from heads.runs.epoch import Epoch
from heads.runs.trained_cell import cell_folder, is_complete, split_folder, write_rows
from heads.training.options import FitRequest
from heads.training.planning.notes import notes_on
from heads.training.planning.plan import Plan, SplitPlan
from heads.training.planning.resolve import resolve
from heads.training.run_folder import open_run
from heads.training.train_cell import groups_of, remove_snapshot, train_cell, write_statistics


@dataclass(frozen=True)
class Progress:
    """The cell that is trained, the `cell`-th of `num_cells`, and the epoch that it has just finished.

    `epoch` is None while inner cross-validation runs; `inner` says how far it is.
    """

    split: str
    seed: int
    cell: int
    num_cells: int
    num_epochs: int
    epoch: Epoch | None
    inner: str = ""


@dataclass(frozen=True)
class RunSummary:
    """What `fit` did. `notes` are the sentences that a reader of the numbers must know."""

    run_dir: Path
    evaluation: Evaluation
    beside: AgainstBaselines | None
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

    def choosing(self, number: int, total: int) -> Progress:
        """Return the progress of this cell before an inner training begins."""
        name, epochs = self.split.name, self.split.recipe.epochs
        inner = f"choosing {number} of up to {total}"
        return Progress(name, self.seed, self.number, self.num_cells, epochs, None, inner)


ShowProgress = Callable[[Progress], None]
TrainCells = Callable[[Plan, Sequence[CellToTrain], ShowProgress | None], None]


def fit(request: FitRequest, progress: ShowProgress | None = None) -> RunSummary:
    """Train every split and seed that the run directory does not hold yet, and evaluate all of them.

    The same request again trains nothing twice. Raises `RunError` if the directory holds another run.
    """
    with torch_threads(request.training.threads):
        return fit_plan(resolve(request), progress, train_cells=train_in_turn)


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
    todo = []
    for number, (split, seed) in enumerate(cells, start=1):
        if is_complete(cell_folder(request.out, split=split.name, seed=seed)):
            remove_snapshot(plan, split, seed)
        else:
            todo.append(CellToTrain(split, seed, number, len(cells)))
    train_cells(plan, todo, progress)
    for split in plan.splits:
        write_statistics(plan, split)  # also of splits with nothing left to train
        if request.training.baselines and not request.training.shuffle_labels:
            _write_baselines(plan, split)
    notes = notes_on(plan)
    evaluation, beside = evaluate(request.out), against_baselines(request.out)
    _write_summary(request.out, evaluation, beside, notes)
    return RunSummary(request.out, evaluation, beside, len(todo), len(cells) - len(todo), notes)


def train_in_turn(plan: Plan, todo: Sequence[CellToTrain], progress: ShowProgress | None) -> None:
    """Train the cells one after the other in this process."""
    for cell in todo:
        train_cell(
            plan,
            cell.split,
            cell.seed,
            on_epoch=None if progress is None else partial(_report_epoch, progress, cell),
            on_inner=None if progress is None else partial(_report_inner, progress, cell),
        )


def _write_baselines(plan: Plan, split: SplitPlan) -> None:
    write_baselines(
        split_folder(plan.request.out, split.name),
        lambda: plan.features.load(split.video_ids),
        train=split.train,
        test=split.test,
        groups=groups_of(plan.request.dataset, split.video_ids),
    )


def _report_epoch(progress: ShowProgress, cell: CellToTrain, epoch: Epoch) -> None:
    progress(cell.progress(epoch))


def _report_inner(progress: ShowProgress, cell: CellToTrain, number: int, total: int) -> None:
    progress(cell.choosing(number, total))


def _write_summary(
    run_dir: Path, evaluation: Evaluation, beside: AgainstBaselines | None, notes: tuple[str, ...]
) -> None:
    baselines = [each.to_dict() for each in beside.baselines] if beside else []
    values = evaluation.to_dict() | {"baselines": baselines, "notes": list(notes)}
    write_whole(run_dir / "summary.json", _json(values))
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
