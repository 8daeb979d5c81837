"""What a cell's runs or counts come to, in the unit that the paper prints."""

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
    """What was found. `std` is over all splits and seeds (of an average: over seeds), of counts over videos;
    nan for a single one. `interval` is None where the number is no estimate.

    `num_test` counts each split's test videos, `num_videos` different ones; `epochs` are those trained.
    """

    mean: float
    std: float
    interval: Interval | None
    num_videos: int
    num_test: tuple[int, ...] = ()
    num_seeds: int | None = None
    epochs: tuple[int, ...] = ()


def of_predictions(splits: Sequence[Predicted], metric: str, *, epochs: Sequence[int]) -> Measured:
    """That metric's mean over splits and seeds."""
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


def of_counts(values: NDArray[np.float64], metric: str) -> Measured:
    """The mean over videos."""
    scale = METRICS[metric].scale
    return Measured(scale * float(values.mean()), scale * sample_std(values), None, len(values))


def of_difference(first: Sequence[Predicted], second: Sequence[Predicted], like: Measured) -> Measured:
    """The first's correlations minus the second's, on the same videos; the rest is `like` the first's."""
    found = difference(first, second, name="", fisher_z=False)
    by_seed = per_seed(first) - per_seed(second)
    return replace(like, mean=found.difference, std=sample_std(by_seed), interval=found.interval)


def of_class_difference(
    first: Mapping[str, Sequence[Predicted]], second: Mapping[str, Sequence[Predicted]], like: Measured
) -> Measured:
    """The same of the Fisher-z means over classes; each class has a single split."""
    sides = [[split for (split,) in side.values()] for side in (first, second)]
    found = difference(*sides, name="", fisher_z=True)
    by_seed = class_mean(first) - class_mean(second)
    return replace(like, mean=found.difference, std=sample_std(by_seed), interval=found.interval)


def of_decrease(counted: Measured, base: Measured) -> Measured:
    """By how many percent the one count is larger than the other; less is negative."""
    share = METRICS["decrease"].scale * (counted.mean / base.mean - 1)
    return Measured(share, math.nan, None, counted.num_videos)


def class_mean(classes: Mapping[str, Sequence[Predicted]]) -> NDArray[np.float64]:
    """The Fisher-z mean over classes, `seed`."""
    return fisher_z_over_splits([per_seed(splits).mean(axis=0) for splits in classes.values()])


def over_columns(classes: Mapping[str, Sequence[Predicted]], parts: Sequence[Measured]) -> Measured:
    """The Fisher-z mean over classes whose correlations are `parts`."""
    by_seed = class_mean(classes)
    return Measured(
        mean=float(by_seed.mean()),
        std=sample_std(by_seed),
        interval=fisher_z_interval([split for (split,) in classes.values()]),
        num_videos=sum(part.num_videos for part in parts),
        num_test=tuple(count for part in parts for count in part.num_test),
        num_seeds=parts[0].num_seeds,
        epochs=tuple(sorted({epochs for part in parts for epochs in part.epochs})),
    )


def plain_mean(parts: Sequence[Measured]) -> Measured:
    """The plain mean over columns of counts."""
    mean = float(np.mean([part.mean for part in parts]))
    return Measured(mean, math.nan, None, sum(part.num_videos for part in parts))


def sample_std(values: NDArray[np.float64]) -> float:
    return float(np.std(values, ddof=1)) if values.size > 1 else math.nan
