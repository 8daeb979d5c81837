"""A run: one directory with all that was asked, trained and found; resumable cell by cell.

config.json         every choice, resolved: repeating the run needs nothing else
environment.json    the machine and the libraries
split-NAME/seed-K/  one trained cell (heads/runs/trained_cell.py)
split-NAME/training_facts.json  what its training videos were like (heads/runs/training_statistics.py)
split-NAME/baselines.csv  what the training mean and ridge regression predict (heads/evaluation/baselines.py)
summary.json, .csv  the evaluation of all cells
"""

import json
import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from aqa_pipeline.errors import RunError
from aqa_pipeline.files import clear_left_overs, is_part
from aqa_pipeline.folder_lock import sole_writer
from aqa_pipeline.store import write_whole
from aqa_pipeline.video_names import count_of
from heads.data.feature_set import FeatureSet
from heads.data.folds import Fold, make_fold, shuffled_labels
from heads.data.labels import FinalScores, Learned, factors_of, learned_labels
from heads.data.score_scale import scale_of
from heads.evaluation.baselines import write_baselines
from heads.evaluation.evaluate import evaluate
from heads.evaluation.run_scores import Evaluation
from heads.runs.config import FILE, config_differences, read_config, write_config
from heads.runs.epoch import Epoch
from heads.runs.trained_cell import (
    Part,
    TrainedCell,
    VideoScore,
    cell_folder,
    is_complete,
    split_folder,
    write_cell,
    write_rows,
)
from heads.runs.training_statistics import write_training_facts
from heads.training.loop import Trained, Training, train
from heads.training.plan import FitRequest, Plan, SplitPlan, resolve
from heads.training.svr import fit_svr

NUM_NAMED = 10  # of the videos that a note is about


@dataclass(frozen=True)
class Progress:
    """Which cell is trained, the how many-th of how many, and the epoch it has just finished."""

    split: str
    seed: int
    cell: int
    num_cells: int
    num_epochs: int
    epoch: Epoch


@dataclass(frozen=True)
class RunSummary:
    """What `fit` did. `notes` are what a reader of the numbers must know, one sentence each."""

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
        """Word of an epoch of this cell."""
        split = self.split
        return Progress(split.name, self.seed, self.number, self.num_cells, split.recipe.epochs, epoch)


Tell = Callable[[Progress], None]
Train = Callable[[Plan, Sequence[CellToTrain], Tell | None], None]


def fit(request: FitRequest, progress: Tell | None = None) -> RunSummary:
    """Trains every split and seed that the run directory does not hold yet, and evaluates all.

    The same request again trains nothing twice. Raises `RunError` if the directory holds another run.
    """
    with threads(request.threads):
        return carry_out(resolve(request), progress, train=_train_in_turn)


def carry_out(plan: Plan, progress: Tell | None, *, train: Train) -> RunSummary:
    """As `fit`, with a plan; `train` writes the cells, wherever it has them trained.

    Raises `RunError` as well if another command is writing into the run.
    """
    with sole_writer(plan.request.out):
        return _carry_out(plan, progress, train=train)


def _carry_out(plan: Plan, progress: Tell | None, *, train: Train) -> RunSummary:
    request = plan.request
    for folder in (request.out, *(split_folder(request.out, split.name) for split in plan.splits)):
        clear_left_overs(folder)
    _open_run(request.out, plan)
    cells = [(split, seed) for split in plan.splits for seed in request.seeds]
    todo = [
        CellToTrain(split, seed, number, len(cells))
        for number, (split, seed) in enumerate(cells, start=1)
        if not is_complete(cell_folder(request.out, split=split.name, seed=seed))
    ]
    train(plan, todo, progress)
    for split in plan.splits:
        _write_training_facts(plan, split)  # of those with nothing left to train
        _write_baselines(plan, split)
    notes = _notes(plan)
    evaluation = evaluate(request.out)
    _write_summary(request.out, evaluation, notes)
    return RunSummary(request.out, evaluation, len(todo), len(cells) - len(todo), notes)


def _train_in_turn(plan: Plan, todo: Sequence[CellToTrain], progress: Tell | None) -> None:
    for cell in todo:
        train_cell(plan, cell.split, cell.seed, _reporter(progress, cell))


def _write_training_facts(plan: Plan, split: SplitPlan) -> None:
    write_training_facts(
        split_folder(plan.request.out, split.name),
        lambda: plan.load(split.video_ids),
        split.train,
        store=plan.request.store,
        dataset=plan.request.dataset.name,
        specs=plan.specs,
    )


def _write_baselines(plan: Plan, split: SplitPlan) -> None:
    write_baselines(
        split_folder(plan.request.out, split.name),
        lambda: plan.load(split.video_ids),
        train=split.train,
        test=split.test,
    )


def _reporter(progress: Tell | None, cell: CellToTrain) -> Callable[[Epoch], None] | None:
    return None if progress is None else lambda epoch: progress(cell.progress(epoch))


def train_cell(
    plan: Plan, split: SplitPlan, seed: int, on_epoch: Callable[[Epoch], None] | None = None
) -> TrainedCell:
    """Trains one split and seed, and writes it into the run; before it, what the split's videos are like."""
    _write_training_facts(plan, split)
    cell, trained = _trained(plan, split, seed, on_epoch)
    write_cell(cell_folder(plan.request.out, split=split.name, seed=seed), cell, trained.state)
    return cell


def _trained(
    plan: Plan, split: SplitPlan, seed: int, on_epoch: Callable[[Epoch], None] | None
) -> tuple[TrainedCell, Trained]:
    samples, learned = plan.load(split.video_ids), plan.learned
    labels = learned_labels(plan.request.dataset, learned, split.video_ids)
    factors = factors_of(plan.request.dataset, learned, split.video_ids)
    final = FinalScores(samples.labels, split.scale, factors)
    if plan.request.shuffle_labels:
        labels = shuffled_labels(labels, split.train, seed=seed)
    fold = make_fold(split.train, split.test, select=plan.request.select, seed=seed)
    training = Training(
        plan.build,
        samples,
        fold,
        labels=_normalised(labels, learned, split),
        recipe=split.recipe,
        seed=seed,
        select=plan.request.select,
        device=plan.device,
        precision=plan.request.precision,
        final=final,
    )
    train_head = fit_svr if split.recipe.optimiser == "closed-form" else train
    trained = train_head(training, on_epoch)
    predictions = _predictions(samples, fold, final.of(trained.scores, np.arange(len(trained.scores))))
    return TrainedCell(
        split.name, seed, trained.chosen_epoch, split.scale, trained.epochs, predictions
    ), trained


def _normalised(labels: NDArray[np.float64], learned: Learned, split: SplitPlan) -> NDArray[np.float64]:
    """Marks of judges each on the scale of their target, any other label on that of the split."""
    if labels.ndim == 1:
        return split.scale.normalise(labels)
    scales = [scale_of(target, of_judge) for target, of_judge in zip(learned.targets, labels.T, strict=True)]
    return np.stack([scale.normalise(column) for scale, column in zip(scales, labels.T, strict=True)], axis=1)


def _predictions(samples: FeatureSet, fold: Fold, predicted: NDArray[np.float64]) -> tuple[VideoScore, ...]:
    parts: dict[Part, NDArray[np.int64]] = {
        "train": fold.train,
        "validation": fold.validation,
        "test": fold.test,
    }
    return tuple(
        VideoScore(samples.video_ids[index], part, float(samples.labels[index]), float(predicted[index]))
        for part, indices in parts.items()
        for index in indices
    )


def _open_run(out: Path, plan: Plan) -> None:
    """Make the run directory, or check that it holds this very run; an interrupted start is completed."""
    config = plan.config()
    if (out / FILE).exists():
        differences = config_differences(read_config(out), config)
        if differences:
            shown = "\n".join(f"  {line}" for line in differences)
            raise RunError(
                f"{out} holds a run with another configuration (there != asked for):\n{shown}\n"
                "Name another --out, or ask for the same again."
            )
    elif out.is_dir() and not all(is_part(path) for path in out.iterdir()):
        raise RunError(f"{out} is not empty and not a run directory: name a new folder with --out.")
    out.mkdir(parents=True, exist_ok=True)
    write_config(out, config)
    write_whole(out / "environment.json", _json(_environment()), only_if_absent=True)


def _environment() -> dict[str, Any]:
    return {
        "python": sys.version,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "platform": platform.platform(),
        "cpu": _cpu_name(),
        "num_cpus": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def _cpu_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _notes(plan: Plan) -> tuple[str, ...]:
    """What a reader of the numbers must know."""
    notes = []
    if any(spec.random_weights for spec in plan.specs.values()):
        notes.append("RANDOM WEIGHTS: these features come from untrained networks; a demo, not a result.")
    if any(spec.simulated for spec in plan.specs.values()):
        notes.append("SIMULATED: these features were drawn at random around the labels; no video was seen.")
    if plan.request.shuffle_labels:
        notes.append("CONTROL: the training labels were shuffled, so there is nothing to learn.")
    if plan.request.select == "best-on-test":
        notes.append("NOT MODEL SELECTION: the kept epoch is the one that scored best on the test videos.")
    notes += _overlap(plan.splits)
    notes += _labels_left_out(plan)
    if plan.missing:
        notes.append(f"Left out for want of features: {count_of(sorted(plan.missing))}.")
    empty = {s: sorted({v for split in plan.splits for v in split.without_steps[s]}) for s in plan.specs}
    notes += [f"Without a step of {s}: {count_of(videos)}." for s, videos in empty.items() if videos]
    for stream in plan.specs:
        num_empty = sum(split.empty_tubes.get(stream, 0) for split in plan.splits)
        if num_empty:
            notes.append(
                f"{num_empty} steps of {stream} have no cell in the tube: they have the whole grid instead."
            )
    return tuple(notes)


def _overlap(splits: Sequence[SplitPlan]) -> list[str]:
    """Return one sentence on all splits that test videos of groups that they train on, or none."""
    shared = [
        f"{split.num_sharing_group} of {len(split.test)} in split {split.name}"
        for split in splits
        if split.num_sharing_group
    ]
    if not shared:
        return []
    return [
        "GROUPS OVERLAP: some test videos share their group (athlete, event) with training videos, which "
        f"flatters the numbers: {', '.join(shared)}. "
        "`--split grouped` keeps groups apart, where the dataset has such splits."
    ]


def _labels_left_out(plan: Plan) -> list[str]:
    """What of the label file is not learned from."""
    notes = []
    if plan.unlabeled:
        notes.append(f"Left out for want of a {plan.target.name}: {count_of(plan.unlabeled)}.")
    if problems := plan.request.dataset.problems:
        notes.append(f"{len(problems)} labels could not be used: {'; '.join(problems[:NUM_NAMED])}.")
    return notes


def _write_summary(run_dir: Path, evaluation: Evaluation, notes: tuple[str, ...]) -> None:
    write_whole(run_dir / "summary.json", _json(evaluation.to_dict() | {"notes": list(notes)}))
    write_rows(run_dir / "summary.csv", evaluation.rows())


def _json(values: Mapping[str, Any]) -> bytes:
    return (json.dumps(values, indent=2, allow_nan=False) + "\n").encode()


@contextmanager
def threads(number: int | None) -> Iterator[None]:
    """Torch's thread count inside; results depend on it in the last bits, so a repeat sets it."""
    before = torch.get_num_threads()
    torch.set_num_threads(number or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
