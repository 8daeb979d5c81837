"""Training one cell of a run: one split and seed, from the plan to the files of `split-NAME/seed-K/`."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.records import Dataset
from heads.data.feature_set import FeatureSet
from heads.data.folds import Fold, make_fold, shuffled_labels
from heads.data.labels import FinalScores, LabelChoice, factors_of, training_labels
from heads.data.score_scale import scale_of
from heads.recipes import Recipe
from heads.runs.inner_choice import OutOfFold, read_choice, write_choice, write_out_of_fold
from heads.runs.inner_network import read_inner_network, write_inner_network
from heads.runs.trained_cell import Part, TrainedCell, VideoScore, cell_folder, split_folder, write_cell
from heads.runs.training_statistics import write_training_statistics
from heads.training.distributed.world import ALONE
from heads.training.methods.by_recipe import (
    as_record,
    chosen_recipe,
    fit_training,
    is_chosen_first,
    is_stack,
)
from heads.training.methods.choose import choose
from heads.training.methods.stack import predict_inner_folds
from heads.training.methods.training import Compute, OnEpoch, OnInner, Trained, Training
from heads.training.planning.plan import Plan, SplitPlan
from heads.training.resuming.snapshot_file import SnapshotFile

CHOICE_SEED = 0  # of the choice that all seeds of a split share, whatever their order


def train_cell(
    plan: Plan,
    split: SplitPlan,
    seed: int,
    *,
    on_epoch: OnEpoch | None = None,
    on_inner: OnInner | None = None,
) -> TrainedCell:
    """Train one split and seed, and write the cell and the statistics of the split's videos."""
    write_statistics(plan, split)
    training = _with_choice(plan, split, make_training(plan, split, seed), on_inner)
    trained = fit_training(training, on_epoch, on_inner)
    if trained.out_of_fold is not None and seed == plan.request.training.seeds[0]:
        _write_out_of_fold(plan, split, training, trained.out_of_fold)
    cell = make_cell(training, trained, split, seed)
    write_cell(cell_folder(plan.request.out, split=split.name, seed=seed), cell, trained.state)
    remove_snapshot(plan, split, seed)
    return cell


def is_shared(recipe: Recipe) -> bool:
    """Return True if several processes can train by this recipe together.

    Heads in closed form take seconds, and so does each of the many inner trainings of an adapted head.
    """
    return not recipe.is_closed_form and recipe.adaptation is None


def takes_long(samples: FeatureSet) -> bool:
    """Return True if an epoch takes so long that it is kept: on maps minutes, and seconds on features."""
    return bool(samples.maps)


def remove_snapshot(plan: Plan, split: SplitPlan, seed: int) -> None:
    """Delete the snapshot of a cell that is complete, if there is one."""
    _snapshot_path(plan, split, seed).unlink(missing_ok=True)


def _snapshot_path(plan: Plan, split: SplitPlan, seed: int) -> Path:
    """Return where an unfinished training of that cell keeps its snapshot: hidden, beside the cell."""
    folder = cell_folder(plan.request.out, split=split.name, seed=seed)
    return folder.with_name(f".{folder.name}.snapshot")


def _with_choice(plan: Plan, split: SplitPlan, training: Training, on_inner: OnInner | None) -> Training:
    """Return the training with what all seeds of the split share from inner folds; find it out if needed."""
    if is_stack(training):
        return _with_inner_network(plan, split, training, on_inner)
    if not is_chosen_first(training):
        return training
    folder = split_folder(plan.request.out, split.name)
    choice = read_choice(folder)
    if choice is None:
        shared = make_training(plan, split, CHOICE_SEED)
        found = choose(shared, on_inner)
        choice = as_record(found)
        _write_out_of_fold(plan, split, shared, found.out_of_fold)
        write_choice(folder, choice)
    return replace(training, recipe=chosen_recipe(training.recipe, choice))


def _with_inner_network(
    plan: Plan, split: SplitPlan, training: Training, on_inner: OnInner | None
) -> Training:
    """Return the training of a stack with the inner predictions of its network, which seeds share.

    Where each seed has its own training set or its own shuffled labels, nothing is shared.
    """
    if training.select == "val" or plan.request.training.shuffle_labels:
        return training
    folder = split_folder(plan.request.out, split.name)
    video_ids = [split.video_ids[video] for video in split.train.tolist()]
    inner = read_inner_network(folder, video_ids=video_ids)
    if inner is None:
        inner = predict_inner_folds(make_training(plan, split, CHOICE_SEED), on_inner)
        write_inner_network(folder, inner, video_ids=video_ids)
    return replace(training, inner=inner)


def _write_out_of_fold(
    plan: Plan, split: SplitPlan, training: Training, out_of_fold: NDArray[np.float64]
) -> None:
    train = training.fold.train
    assert training.final is not None, "a fit says what its final scores are"
    predicted = training.final.of(out_of_fold, train)
    rows = [
        OutOfFold(training.samples.video_ids[video], float(training.samples.labels[video]), float(score))
        for video, score in zip(train.tolist(), predicted, strict=True)
    ]
    write_out_of_fold(split_folder(plan.request.out, split.name), rows)


def make_training(plan: Plan, split: SplitPlan, seed: int) -> Training:
    """Return the network, videos, labels and settings of one split and seed."""
    options, dataset, samples = (
        plan.request.training,
        plan.request.dataset,
        plan.features.load(split.video_ids),
    )
    labels = training_labels(dataset, plan.labels, split.video_ids)
    factors = factors_of(dataset, plan.labels, split.video_ids)
    if plan.labels.factor:
        samples = replace(samples, difficulties=factors)
    if options.shuffle_labels:
        labels = shuffled_labels(labels, split.train, seed=seed)
    identity = {
        "head": f"{plan.head.kind.name} ({plan.head.variant})",
        "data": split.digest,
        "recipe": json.dumps(asdict(split.recipe)),
        "options": json.dumps([seed, options.select, options.precision, options.shuffle_labels]),
    }
    return Training(
        build=plan.head.build,
        samples=samples,
        fold=make_fold(split.train, split.test, select=options.select, seed=seed),
        labels=_normalised(labels, plan.labels, split),
        recipe=split.recipe,
        seed=seed,
        select=options.select,
        compute=Compute(plan.device, options.precision, plan.world if is_shared(split.recipe) else ALONE),
        final=FinalScores(samples.labels, split.scale, factors),
        groups=groups_of(dataset, split.video_ids),
        snapshot=SnapshotFile(_snapshot_path(plan, split, seed), identity) if takes_long(samples) else None,
    )


def groups_of(dataset: Dataset, video_ids: Sequence[str]) -> tuple[str | None, ...]:
    """Return the group (athlete, event) of each video, None for a video without one."""
    groups = {video.video_id: video.group for video in dataset.videos}
    return tuple(groups[video_id] for video_id in video_ids)


def make_cell(training: Training, trained: Trained, split: SplitPlan, seed: int) -> TrainedCell:
    """Return the trained cell with the final scores of all videos, as it is written into the run."""
    assert training.final is not None, "a fit says what its final scores are"
    predicted = training.final.of(trained.scores, np.arange(len(trained.scores)))
    predictions = _predictions(training.samples, training.fold, predicted)
    return TrainedCell(split.name, seed, trained.chosen_epoch, split.scale, trained.epochs, predictions)


def _normalised(labels: NDArray[np.float64], choice: LabelChoice, split: SplitPlan) -> NDArray[np.float64]:
    """Normalize each judge's marks on the scale of their target, and other labels on that of the split."""
    if labels.ndim == 1:
        return split.scale.normalise(labels)
    scales = [scale_of(target, marks) for target, marks in zip(choice.trained_on, labels.T, strict=True)]
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


def write_statistics(plan: Plan, split: SplitPlan) -> None:
    """Write the statistics of a split's training videos, unless they are there."""
    write_training_statistics(
        split_folder(plan.request.out, split.name),
        lambda: plan.features.load(split.video_ids),
        split.train,
        store=plan.request.store,
        dataset=plan.request.dataset.name,
        specs=plan.features.specs,
    )
