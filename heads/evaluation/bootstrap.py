"""The one bootstrap of the project, over videos and seeds of metrics averaged over splits.

One draw counts how often each video comes, over all videos that any of the splits tests on, and takes every
split's correlation with those counts: splits that share videos (MIT-Skating's five random ones) do
not count them as new evidence. The same draw takes the seeds with replacement, the same in every split, for
a seed begins every split with the same network.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.errors import UnknownName
from aqa_pipeline.metrics import FEWEST_VIDEOS, Interval, wilson_interval
from heads.recipes import MetricName
from heads.runs.predictions import Predicted

Floats = NDArray[np.float64]
# Of scores `video`, labels `video` and counts `draw video`: one value per draw.
CountedMetric = Callable[[Floats, Floats, Floats], Floats]

NUM_RESAMPLES = 10_000
CONFIDENCE = 0.95


def counted_spearman(predicted: Floats, true: Floats, counts: Floats) -> Floats:
    """Spearman's correlation `draw` with video k taken `counts[draw, k]` times; ties share their mean rank.

    nan where scores or labels of the videos taken are all equal.
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
    """Ranks `draw video` from 1 in the list where value k stands `counts[draw, k]` times.

    values [5, 7, 7], counts [2, 1, 1] -> the list 5 5 7 7 -> ranks [1.5, 3.5, 3.5].
    """
    order = np.argsort(values, kind="stable")
    distinct, places = np.unique(values, return_inverse=True)
    starts = np.searchsorted(values[order], distinct)
    steps = np.add.reduceat(counts[:, order], starts, axis=1)  # one step of the staircase per distinct value
    last = np.cumsum(steps, axis=1)
    return (last - (steps - 1) / 2)[:, places]


def counted_mse(predicted: Floats, true: Floats, counts: Floats) -> Floats:
    """Mean squared error `draw` with video k taken `counts[draw, k]` times, in squared units of scores."""
    return _counted_mean((predicted - true) ** 2, counts)


def counted_accuracy(predicted: Floats, true: Floats, counts: Floats) -> Floats:
    """The share `draw` of videos on the right side of 1/2, video k taken `counts[draw, k]` times."""
    return _counted_mean(((predicted >= 0.5) == (true >= 0.5)).astype(np.float64), counts)


def _counted_mean(values: Floats, counts: Floats) -> Floats:
    """nan where no video is taken."""
    with np.errstate(invalid="ignore"):
        return np.asarray(counts @ values / counts.sum(axis=1))


COUNTED_METRICS: dict[str, CountedMetric] = {
    "spearman": counted_spearman,
    "mse": counted_mse,
    "accuracy": counted_accuracy,
}


def find_metric(name: str) -> CountedMetric:
    """The metric of that name; raises `UnknownName`."""
    if name not in COUNTED_METRICS:
        raise UnknownName("metric", name, COUNTED_METRICS)
    return COUNTED_METRICS[name]


def per_seed(splits: Sequence[Predicted], *, metric: CountedMetric = counted_spearman) -> Floats:
    """The metric itself, `split seed`: every video once."""
    once = [np.ones((1, len(split.videos))) for split in splits]
    return np.concatenate(_of_counts(splits, once, metric=metric), axis=-1).T


def draw_counts(splits: Sequence[Predicted], *, num: int, rng: np.random.Generator) -> list[Floats]:
    """Per split, how often each of its videos is taken, `draw video`; one draw serves all splits at once."""
    union = sorted(distinct_videos(splits))
    place = {video: index for index, video in enumerate(union)}
    counts = rng.multinomial(len(union), np.full(len(union), 1 / len(union)), size=num).astype(np.float64)
    return [counts[:, [place[video] for video in split.videos]] for split in splits]


def resampled(
    splits: Sequence[Predicted],
    counts: Sequence[Floats],
    *,
    metric: CountedMetric = counted_spearman,
) -> Floats:
    """The mean over splits in each draw, `seed draw`; nan where a split's value is undefined."""
    total = sum(_of_counts(splits, counts, metric=metric))
    return np.asarray(total) / len(splits)


def _of_counts(
    splits: Sequence[Predicted], counts: Sequence[Floats], *, metric: CountedMetric
) -> list[Floats]:
    """Per split the metric of each seed and draw, `seed draw`."""
    return [
        np.stack([metric(scores, split.true, taken) for scores in split.predicted])
        for split, taken in zip(splits, counts, strict=True)
    ]


def over_seeds(values: Floats, *, rng: np.random.Generator) -> Floats:
    """Values `seed draw` averaged in each draw over as many seeds as there are, taken with replacement."""
    num_seeds, num_draws = values.shape
    if num_seeds == 1:
        return values[0]
    taken = rng.multinomial(num_seeds, np.full(num_seeds, 1 / num_seeds), size=num_draws).T
    # A seed that is not taken must not matter, even where its value is nan.
    return np.where(taken > 0, taken * values, 0.0).sum(axis=0) / num_seeds


def over_classes(by_class: Sequence[Floats]) -> Floats:
    """Fisher-z mean over classes, elementwise: tanh of the mean of atanh; nan where one is nan."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.tanh(np.mean(np.arctanh(np.stack(list(by_class))), axis=0))


def interval_of(draws: Floats, *, confidence: float = CONFIDENCE) -> Interval:
    """The percentile interval of the draws that are defined."""
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
    """Return the interval of the metric's mean over splits and seeds, over videos and seeds.

    Of an accuracy it is Wilson's, over videos alone: the mean share over seeds varies less than one seed's.
    """
    num_videos = len(distinct_videos(splits))
    if num_videos < FEWEST_VIDEOS and metric != "accuracy":
        return Interval.of_too_few(CONFIDENCE)
    of_counts = find_metric(metric)
    if metric == "accuracy":
        share = float(per_seed(splits, metric=of_counts).mean())
        return wilson_interval(round(share * num_videos), num_videos)
    rng = np.random.default_rng(seed)
    counts = draw_counts(splits, num=num_resamples, rng=rng)
    return interval_of(over_seeds(resampled(splits, counts, metric=of_counts), rng=rng))


def distinct_videos(splits: Sequence[Predicted]) -> set[str]:
    """Return the ids of the test videos, each once however many splits test it."""
    return {video for split in splits for video in split.videos}


def class_mean_interval(
    classes: Mapping[str, Sequence[Predicted]], *, num_resamples: int = NUM_RESAMPLES, seed: int = 0
) -> Interval:
    """The interval of the Fisher-z mean over classes, each with its own splits and its own videos.

    Every class is resampled within itself, so that no draw has more of one class than there are videos.
    """
    if len(distinct_videos([split for splits in classes.values() for split in splits])) < FEWEST_VIDEOS:
        return Interval.of_too_few(CONFIDENCE)
    rng = np.random.default_rng(seed)
    by_class = [
        resampled(splits, draw_counts(splits, num=num_resamples, rng=rng)) for splits in classes.values()
    ]
    return interval_of(over_seeds(over_classes(by_class), rng=rng))
