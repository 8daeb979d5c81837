"""The bootstrap over videos and seeds of a metric averaged over splits.

One draw counts how often each test video is taken, among the test videos of all splits, and every split's
metric uses those counts. Splits that share videos (the five random splits of MIT-Skating) therefore do not
count them as new evidence. The same draw takes seeds with replacement, the same ones in every split, because
a seed starts every split with the same network.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.errors import UnknownName
from aqa_pipeline.metrics import FEWEST_VIDEOS, Interval, wilson_interval
from heads.recipes import MetricName
from heads.runs.predictions import Predicted

Floats = NDArray[np.float64]
# (scores `(video)`, labels `(video)`, counts `(draw, video)`) -> values `(draw)`
CountedMetric = Callable[[Floats, Floats, Floats], Floats]

NUM_RESAMPLES = 10_000
CONFIDENCE = 0.95


def counted_spearman(predicted: Floats, true: Floats, counts: Floats) -> Floats:
    """Return Spearman's correlation `(draw)` with video k taken `counts[draw, k]` times.

    Ties share their mean rank. The correlation is nan if the taken scores or labels are all equal.
    """
    x = counted_ranks(predicted, counts)
    y = counted_ranks(true, counts)
    middle = (counts.sum(axis=1, keepdims=True) + 1) / 2  # the mean of ranks 1..N, ties or not
    x, y = x - middle, y - middle
    weighted = counts * x
    covariance = np.einsum("dv,dv->d", weighted, y)
    spread = np.sqrt(np.einsum("dv,dv->d", weighted, x) * np.einsum("dv,dv,dv->d", counts, y, y))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.clip(covariance / spread, -1.0, 1.0)


def counted_ranks(values: Floats, counts: Floats) -> Floats:
    """Return ranks `(draw, video)`, from 1, in the list that holds value k `counts[draw, k]` times.

    values [5, 7, 7], counts [2, 1, 1] -> the list 5 5 7 7 -> ranks [1.5, 3.5, 3.5].
    """
    order = np.argsort(values, kind="stable")
    distinct, places = np.unique(values, return_inverse=True)
    starts = np.searchsorted(values[order], distinct)
    steps = np.add.reduceat(counts[:, order], starts, axis=1)  # how often each distinct value is taken
    last = np.cumsum(steps, axis=1)
    return (last - (steps - 1) / 2)[:, places]


def counted_mse(predicted: Floats, true: Floats, counts: Floats) -> Floats:
    """Return the mean squared error `(draw)` with video k taken `counts[draw, k]` times."""
    return _counted_mean((predicted - true) ** 2, counts)


def counted_accuracy(predicted: Floats, true: Floats, counts: Floats) -> Floats:
    """Return the share `(draw)` of correct videos, with video k taken `counts[draw, k]` times.

    A score of at least 1/2 means class 1.
    """
    return _counted_mean(((predicted >= 0.5) == (true >= 0.5)).astype(np.float64), counts)


def _counted_mean(values: Floats, counts: Floats) -> Floats:
    """Return the means `(draw)`; nan if no video is taken."""
    with np.errstate(invalid="ignore"):
        return np.asarray(counts @ values / counts.sum(axis=1))


COUNTED_METRICS: dict[str, CountedMetric] = {
    "spearman": counted_spearman,
    "mse": counted_mse,
    "accuracy": counted_accuracy,
}


def find_metric(name: str) -> CountedMetric:
    """Return the metric of that name; raise `UnknownName` if there is none."""
    if name not in COUNTED_METRICS:
        raise UnknownName("metric", name, COUNTED_METRICS)
    return COUNTED_METRICS[name]


def per_seed(splits: Sequence[Predicted], *, metric: CountedMetric = counted_spearman) -> Floats:
    """Return the metric `(split, seed)` with every video taken once."""
    once = [np.ones((1, len(split.videos))) for split in splits]
    return np.concatenate(_of_counts(splits, once, metric=metric), axis=-1).T


def draw_counts(splits: Sequence[Predicted], *, num: int, rng: np.random.Generator) -> list[Floats]:
    """Return per split how often each of its videos is taken, `(draw, video)`.

    Draws are shared by all splits.
    """
    union = sorted(distinct_videos(splits))
    position = {video: index for index, video in enumerate(union)}
    counts = rng.multinomial(len(union), np.full(len(union), 1 / len(union)), size=num).astype(np.float64)
    return [counts[:, [position[video] for video in split.videos]] for split in splits]


def resampled(
    splits: Sequence[Predicted],
    counts: Sequence[Floats],
    *,
    metric: CountedMetric = counted_spearman,
) -> Floats:
    """Return the mean over splits `(seed, draw)`; nan if the metric of a split is undefined."""
    total = sum(_of_counts(splits, counts, metric=metric))
    return np.asarray(total) / len(splits)


def _of_counts(
    splits: Sequence[Predicted], counts: Sequence[Floats], *, metric: CountedMetric
) -> list[Floats]:
    """Return per split the metric `(seed, draw)`."""
    return [
        np.stack([metric(scores, split.true, taken) for scores in split.predicted])
        for split, taken in zip(splits, counts, strict=True)
    ]


def resample_seeds(values: Floats, *, rng: np.random.Generator) -> Floats:
    """Return the means `(draw)` of values `(seed, draw)` over seeds taken with replacement in each draw."""
    num_seeds, num_draws = values.shape
    if num_seeds == 1:
        return values[0]
    taken = rng.multinomial(num_seeds, np.full(num_seeds, 1 / num_seeds), size=num_draws).T
    # A seed that is not taken must not count, even if its value is nan.
    return np.where(taken > 0, taken * values, 0.0).sum(axis=0) / num_seeds


def fisher_z_over_splits(by_split: Sequence[Floats]) -> Floats:
    """Return the elementwise Fisher-z mean over splits, tanh of the mean of atanh; nan where one is nan."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.tanh(np.mean(np.arctanh(np.stack(list(by_split))), axis=0))


def interval_of(draws: Floats, *, confidence: float = CONFIDENCE) -> Interval:
    """Return the percentile interval of the defined draws."""
    defined = draws[~np.isnan(draws)]
    tail = (1 - confidence) / 2
    low, high = np.quantile(defined, [tail, 1 - tail]) if defined.size else (np.nan, np.nan)
    return Interval(float(low), float(high), confidence, draws.size, int(draws.size - defined.size))


def mean_interval(
    splits: Sequence[Predicted],
    *,
    metric: MetricName | str = "spearman",
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Return the interval of the metric's mean over splits and seeds, by resampling videos and seeds.

    An accuracy has Wilson's interval over videos, because a bootstrap of a share of 1 has no width.
    """
    of_counts = find_metric(metric)
    if metric == "accuracy":
        num_videos = len(distinct_videos(splits))
        share = float(per_seed(splits, metric=of_counts).mean())
        return wilson_interval(round(share * num_videos), num_videos)
    if not has_enough_videos(splits, metric=metric):
        return Interval.of_too_few(CONFIDENCE)
    rng = np.random.default_rng(seed)
    counts = draw_counts(splits, num=num_resamples, rng=rng)
    return interval_of(resample_seeds(resampled(splits, counts, metric=of_counts), rng=rng))


def has_enough_videos(splits: Sequence[Predicted], *, metric: MetricName | str) -> bool:
    """Return True if there are enough test videos for an interval of the metric's mean over splits.

    A rank correlation needs `FEWEST_VIDEOS` in each split: of five videos, a draw can have any order, and the
    mean over many such splits gets an interval as wide as [-1, 1]. Other metrics need them in all splits
    together.
    """
    if metric == "spearman":
        return min(len(split.videos) for split in splits) >= FEWEST_VIDEOS
    return len(distinct_videos(splits)) >= FEWEST_VIDEOS


def distinct_videos(splits: Sequence[Predicted]) -> set[str]:
    """Return the ids of the test videos of all splits, each once."""
    return {video for split in splits for video in split.videos}


def fisher_z_interval(
    groups: Sequence[Sequence[Predicted]], *, num_resamples: int = NUM_RESAMPLES, seed: int = 0
) -> Interval:
    """Return the interval of the Fisher-z mean over groups of splits, such as one group per apparatus.

    No two groups share a video. Every group is resampled within itself, so that every draw takes as many
    videos of a group as it has.
    """
    if not all(has_enough_videos(splits, metric="spearman") for splits in groups):
        return Interval.of_too_few(CONFIDENCE)
    rng = np.random.default_rng(seed)
    by_group = [resampled(splits, draw_counts(splits, num=num_resamples, rng=rng)) for splits in groups]
    return interval_of(resample_seeds(fisher_z_over_splits(by_group), rng=rng))


def difference_interval(differences: Floats) -> Interval:
    """Return the interval of the mean of paired differences `(video)`, by resampling videos."""
    num = len(differences)
    if num < FEWEST_VIDEOS:
        return Interval.of_too_few(CONFIDENCE)
    counts = np.random.default_rng(0).multinomial(num, np.full(num, 1 / num), size=NUM_RESAMPLES)
    return interval_of(counts @ differences / num)
