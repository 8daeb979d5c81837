"""Measure a block from the stored predictions of its runs: every number of results.json."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aqa_pipeline.errors import RunError
from aqa_pipeline.metrics import Interval
from aqa_pipeline.spec_facts import typed_facts
from heads.bench.digests import path_within, predictions_sha256, split_sha256
from heads.bench.records import (
    BlockRecord,
    CellRecord,
    DifferenceRecord,
    EncoderRecord,
    FailedRecord,
    IntervalRecord,
    SeedRecord,
    SplitRecord,
    number,
    row_names,
)
from heads.evaluation.bootstrap import (
    NUM_RESAMPLES,
    distinct_videos,
    find_metric,
    fisher_z_interval,
    fisher_z_over_splits,
    mean_interval,
    per_seed,
)
from heads.evaluation.compare import difference
from heads.evaluation.evaluate import FISHER_Z_MEAN, PLAIN_MEAN, share_no_videos
from heads.evaluation.metric import metric_of_run
from heads.recipes import MetricName
from heads.runs.config import read_config
from heads.runs.predictions import Predicted, read_predicted
from heads.runs.run_config import RunConfig
from heads.runs.title import is_closed_form, run_flags

RIDGE, MEAN = "ridge", "mean"  # the rows that every block has
SHUFFLED = "SHUFFLED LABELS"  # the row of the control says so


@dataclass(frozen=True, eq=False)
class ReadRun:
    """A run as it lies on disk; `place` is its path relative to results.json."""

    row: str
    place: str
    config: RunConfig
    splits: list[Predicted]
    predictions: Mapping[str, str]


def measure_block(
    folder: Path,
    name: str,
    runs: Mapping[str, str],
    *,
    encoder: str,
    num_resamples: int = NUM_RESAMPLES,
) -> tuple[BlockRecord | None, list[FailedRecord]]:
    """Return the record of a block, and the runs that cannot be read or compared with the others.

    `runs` are paths relative to `folder`, by row. The record is None if no run is left.
    """
    read: list[ReadRun] = []
    failed: list[FailedRecord] = []
    for row, place in runs.items():
        try:
            run = _read_run(folder, row, place)
            _check_alike(run, read[0] if read else None)
            read.append(run)
        except RunError as error:
            failed.append(FailedRecord(block=name, row=row, reason=str(error)))
    if not read:
        return None, failed
    return _block(name, read, encoder=encoder, num_resamples=num_resamples), failed


def _read_run(folder: Path, row: str, place: str) -> ReadRun:
    path = path_within(folder, place)
    config = read_config(path)
    if len(config.streams) != 1:
        raise RunError(f"{path} reads {len(config.streams)} streams, expected 1.")
    head, is_control = config.head, config.training.shuffle_labels
    if row not in row_names(head.name, head.variant, is_control=is_control):
        on = " on shuffled labels" if is_control else ""
        raise RunError(f"{place} is a run of {head.name} ({head.variant}){on}, not of the row {row!r}.")
    return ReadRun(row, place, config, read_predicted(path), predictions_sha256(path, config.cells))


def _check_alike(run: ReadRun, other: ReadRun | None) -> None:
    """Raise `RunError` unless both runs have the same target, features, splits and labels."""
    if other is None:
        return
    for what, mine, theirs in (
        ("dataset", run.config.dataset.name, other.config.dataset.name),
        ("target", run.config.target.name, other.config.target.name),
        ("features", _specs(run.config), _specs(other.config)),
        ("splits", list(map(split_sha256, run.splits)), list(map(split_sha256, other.splits))),
        ("labels", _labels(run), _labels(other)),
        ("features or labels", _data(run.config, other.config), _data(other.config, run.config)),
    ):
        if mine != theirs:
            raise RunError(
                f"{run.place} and {other.place} do not have the same {what}: delete the older run and run "
                "the same `aqa bench` command again."
            )


def _specs(config: RunConfig) -> dict[str, str]:
    return {name: stream.hash for name, stream in config.streams.items()}


def _labels(run: ReadRun) -> list[list[float]]:
    return [split.true.tolist() for split in run.splits]


def _data(config: RunConfig, other: RunConfig) -> list[str]:
    """Return the digests of features and labels; a head trained on other labels (judges) has other ones."""
    alike = config.labels.trained_on == other.labels.trained_on
    return [split.data_sha256 for split in config.splits.values()] if alike else []


def _block(name: str, read: Sequence[ReadRun], *, encoder: str, num_resamples: int) -> BlockRecord:
    first = read[0]
    metrics = {metric_of_run(run.config) for run in read}
    metric: MetricName = "accuracy" if metrics == {"accuracy"} else "spearman"
    fisher_z = metric == "spearman" and share_no_videos(first.splits)
    measure = _Measure(metric, fisher_z, num_resamples)
    ridge = next((run for run in read if run.row == RIDGE), None)
    return BlockRecord(
        name=name,
        dataset=first.config.dataset.name,
        adapter=first.config.dataset.adapter,
        target=first.config.target.name,
        encoder=_encoder(first.config, encoder),
        metric=metric,
        mean_over_splits=FISHER_Z_MEAN if fisher_z else PLAIN_MEAN,
        num_videos=len(distinct_videos(first.splits)),
        splits=tuple(map(_split, first.splits)),
        cells=tuple(measure.cell(run, ridge) for run in read),
    )


def _encoder(config: RunConfig, name: str) -> EncoderRecord:
    ((stream, spec),) = config.specs.items()
    backbone, dim = typed_facts(spec).backbone, config.dims[stream]
    return EncoderRecord(name=name, stream=stream, spec=spec.hash, backbone=backbone, dim=dim)


def _split(split: Predicted) -> SplitRecord:
    return SplitRecord(
        name=split.split,
        num_train=len(split.training_videos),
        num_test=len(split.videos),
        sha256=split_sha256(split),
    )


@dataclass(frozen=True)
class _Measure:
    """How the metric of a block is averaged over splits and seeds, and resampled."""

    metric: MetricName
    fisher_z: bool
    num_resamples: int

    def cell(self, run: ReadRun, ridge: ReadRun | None) -> CellRecord:
        """Return the numbers of one run, beside those of ridge regression."""
        config, splits = run.config, run.splits
        of_seeds = self._of_seeds(splits)
        is_control = config.training.shuffle_labels
        return CellRecord(
            row=run.row,
            run=run.place,
            head=config.head.name,
            variant=config.head.variant,
            is_control=is_control,
            epochs=None if is_closed_form(config) else config.training.epochs,
            value=number(float(np.mean(of_seeds))),
            interval=IntervalRecord.of(self._interval(splits)),
            per_seed=tuple(
                SeedRecord(seed=seed, value=number(value))
                for seed, value in zip(splits[0].seeds, of_seeds, strict=True)
            ),
            mean_error=_mean_error(splits),
            against_ridge=None
            if ridge is None or ridge is run or is_control
            else self._difference(splits, ridge.splits),
            flags=tuple(flag for flag in run_flags(config) if flag != SHUFFLED),
            data_sha256={name: split.data_sha256 for name, split in config.splits.items()},
            predictions=dict(run.predictions),
        )

    def _of_seeds(self, splits: Sequence[Predicted]) -> list[float]:
        values = per_seed(splits, metric=find_metric(self.metric))
        over_splits = fisher_z_over_splits(list(values)) if self.fisher_z else values.mean(axis=0)
        return [float(value) for value in over_splits]

    def _interval(self, splits: Sequence[Predicted]) -> Interval:
        if self.fisher_z:
            return fisher_z_interval([[split] for split in splits], num_resamples=self.num_resamples)
        return mean_interval(splits, metric=self.metric, num_resamples=self.num_resamples)

    def _difference(self, splits: Sequence[Predicted], ridge: Sequence[Predicted]) -> DifferenceRecord:
        found = difference(
            splits,
            ridge,
            name=RIDGE,
            fisher_z=self.fisher_z,
            metric=self.metric,
            num_resamples=self.num_resamples,
        )
        return DifferenceRecord(
            difference=number(found.difference),
            interval=IntervalRecord.of(found.interval),
            p=number(found.p),
        )


def _mean_error(splits: Sequence[Predicted]) -> float:
    errors = [np.abs(split.predicted - split.true).ravel() for split in splits]
    return float(np.concatenate(errors).mean())
