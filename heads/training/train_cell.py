"""Training one cell of a run: one split and seed, from the plan to the files of `split-NAME/seed-K/`."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from heads.data.feature_set import FeatureSet
from heads.data.folds import Fold, make_fold, shuffled_labels
from heads.data.labels import FinalScores, LabelChoice, factors_of, training_labels
from heads.data.score_scale import scale_of
from heads.runs.epoch import Epoch
from heads.runs.trained_cell import Part, TrainedCell, VideoScore, cell_folder, split_folder, write_cell
from heads.runs.training_statistics import write_training_statistics
from heads.training.loop import Trained, Training, train
from heads.training.plan import Plan, SplitPlan
from heads.training.svr import fit_svr


def train_cell(
    plan: Plan, split: SplitPlan, seed: int, on_epoch: Callable[[Epoch], None] | None = None
) -> TrainedCell:
    """Train one split and seed, and write the cell and the statistics of the split's videos."""
    write_statistics(plan, split)
    training = make_training(plan, split, seed)
    train_head = fit_svr if split.recipe.optimiser == "closed-form" else train
    trained = train_head(training, on_epoch)
    cell = make_cell(training, trained, split, seed)
    write_cell(cell_folder(plan.request.out, split=split.name, seed=seed), cell, trained.state)
    return cell


def make_training(plan: Plan, split: SplitPlan, seed: int) -> Training:
    """Return the network, videos, labels and settings of one split and seed."""
    options, dataset, samples = plan.request.training, plan.request.dataset, plan.load(split.video_ids)
    labels = training_labels(dataset, plan.labels, split.video_ids)
    factors = factors_of(dataset, plan.labels, split.video_ids)
    if options.shuffle_labels:
        labels = shuffled_labels(labels, split.train, seed=seed)
    return Training(
        build=plan.build,
        samples=samples,
        fold=make_fold(split.train, split.test, select=options.select, seed=seed),
        labels=_normalised(labels, plan.labels, split),
        recipe=split.recipe,
        seed=seed,
        select=options.select,
        device=plan.device,
        precision=options.precision,
        final=FinalScores(samples.labels, split.scale, factors),
    )


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
        lambda: plan.load(split.video_ids),
        split.train,
        store=plan.request.store,
        dataset=plan.request.dataset.name,
        specs=plan.specs,
    )
