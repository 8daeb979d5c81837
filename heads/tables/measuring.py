"""The value of a table cell, from runs or counts, in the unit that the paper prints."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.metrics import Interval
from heads.evaluation.bootstrap import (
    distinct_videos,
    find_metric,
    fisher_z_interval,
    fisher_z_over_splits,
    mean_interval,
    per_seed,
)
from heads.evaluation.compare import difference
from heads.runs.predictions import Predicted
from heads.tables.output.metrics import METRICS


@dataclass(frozen=True)
class Measured:
    """The measured value of a table cell.

    `std` is the standard deviation over splits and seeds, of an average over seeds, of counts over videos;
    nan for a single value. `interval` is None for counts. `num_test` are the test videos of each split,
    `num_videos` the different ones, `epochs` the numbers of epochs trained.
    """

    mean: float
    std: float
    interval: Interval | None
    num_videos: int
    num_test: tuple[int, ...] = ()
    num_seeds: int | None = None
    epochs: tuple[int, ...] = ()


def measure_predictions(splits: Sequence[Predicted], metric: str, *, epochs: Sequence[int]) -> Measured:
    """Return the mean of the metric over splits and seeds."""
    scale = METRICS[metric].scale
    values = per_seed(splits, metric=find_metric(metric))
    num_videos = len(distinct_videos(splits))
    interval = mean_interval(splits, metric=metric)
    return Measured(
        mean=scale * float(values.mean()),
        std=scale * sample_std(values),
        interval=replace(interval, low=scale * interval.low, high=scale * interval.high),
        num_videos=num_videos,
        num_test=tuple(len(split.videos) for split in splits),
        num_seeds=len(splits[0].seeds),
        epochs=tuple(sorted(set(epochs))),
    )


def measure_counts(values: NDArray[np.float64], metric: str) -> Measured:
    """Return the mean count over videos."""
    scale = METRICS[metric].scale
    return Measured(scale * float(values.mean()), scale * sample_std(values), None, len(values))


def measure_difference(first: Sequence[Predicted], second: Sequence[Predicted], like: Measured) -> Measured:
    """Return the first correlation minus the second on the same videos; other fields are `like`'s."""
    found = difference(first, second, name="", fisher_z=False)
    by_seed = per_seed(first) - per_seed(second)
    return replace(like, mean=found.difference, std=sample_std(by_seed), interval=found.interval)


def measure_fisher_z_difference(
    first: Mapping[str, Sequence[Predicted]], second: Mapping[str, Sequence[Predicted]], like: Measured
) -> Measured:
    """Return the first Fisher-z mean over columns minus the second; other fields are `like`'s."""
    sides = [[split for (split,) in side.values()] for side in (first, second)]
    found = difference(*sides, name="", fisher_z=True)
    by_seed = fisher_z_by_seed(first) - fisher_z_by_seed(second)
    return replace(like, mean=found.difference, std=sample_std(by_seed), interval=found.interval)


def percent_change(counted: Measured, base: Measured) -> Measured:
    """Return the change of `counted` relative to `base`, in percent."""
    share = METRICS["decrease"].scale * (counted.mean / base.mean - 1)
    return Measured(share, math.nan, None, counted.num_videos)


def fisher_z_by_seed(columns: Mapping[str, Sequence[Predicted]]) -> NDArray[np.float64]:
    """Return the Fisher-z mean over columns, `(seed)`."""
    return fisher_z_over_splits([per_seed(splits).mean(axis=0) for splits in columns.values()])


def measure_average(columns: Mapping[str, Sequence[Predicted]], parts: Sequence[Measured]) -> Measured:
    """Return the Fisher-z mean over columns whose values are `parts`."""
    by_seed = fisher_z_by_seed(columns)
    return Measured(
        mean=float(by_seed.mean()),
        std=sample_std(by_seed),
        interval=fisher_z_interval(list(columns.values())),
        num_videos=sum(part.num_videos for part in parts),
        num_test=tuple(count for part in parts for count in part.num_test),
        num_seeds=parts[0].num_seeds,
        epochs=tuple(sorted({epochs for part in parts for epochs in part.epochs})),
    )


def mean_count(parts: Sequence[Measured]) -> Measured:
    """Return the plain mean over columns of counts."""
    mean = float(np.mean([part.mean for part in parts]))
    return Measured(mean, math.nan, None, sum(part.num_videos for part in parts))


def sample_std(values: NDArray[np.float64]) -> float:
    """Return the sample standard deviation (n - 1); nan for a single value."""
    return float(np.std(values, ddof=1)) if values.size > 1 else math.nan
