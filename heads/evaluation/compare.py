"""Compare two runs by a paired bootstrap over the videos that both were tested on.

Every draw takes the same videos for both runs, so that an easy draw is easy for both. The seeds of each run
are resampled separately. `p` is two-sided, twice the smaller share of draws on either side of 0: `min(1, 2 (1
+ min(#{d <= 0}, #{d >= 0})) / (draws + 1))`. The 1 keeps p above 0 with a finite number of draws (Davison &
Hinkley, Bootstrap Methods and their Application, 1997, 4.2).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from aqa_pipeline.errors import RunError
from aqa_pipeline.metrics import FEWEST_VIDEOS, TOO_FEW, Interval
from aqa_pipeline.plurals import counted
from aqa_pipeline.text_table import format_table
from heads.evaluation.bootstrap import (
    NUM_RESAMPLES,
    CountedMetric,
    Floats,
    distinct_videos,
    draw_counts,
    find_metric,
    fisher_z_over_splits,
    has_enough_videos,
    interval_of,
    per_seed,
    resample_seeds,
    resampled,
)
from heads.evaluation.evaluate import FISHER_Z_MEAN, PLAIN_MEAN, share_no_videos
from heads.evaluation.metric import TITLES, metric_of_run
from heads.evaluation.pooling import POOLED, pool_folds
from heads.recipes import MetricName
from heads.runs.config import read_config
from heads.runs.predictions import Predicted, read_predicted
from heads.runs.run_config import RunConfig
from heads.runs.title import run_flags, run_title


@dataclass(frozen=True)
class ComparedRun:
    """One of the two runs, with the flags that a reader must know."""

    run_dir: Path
    title: str
    flags: tuple[str, ...]
    num_seeds: int


@dataclass(frozen=True)
class Difference:
    """The metric of both runs on the same test videos, and their difference: first minus second."""

    name: str
    num_videos: int
    first: float
    second: float
    difference: float
    interval: Interval
    p: float


@dataclass(frozen=True)
class Comparison:
    """The differences of two runs per split and overall, by `metric`.

    `overall` is None for a single split; `overall_kind` names the mean over splits. `pooled` compares all
    videos of a cross-validation together; it is None for other splits.
    """

    first: ComparedRun
    second: ComparedRun
    splits: tuple[Difference, ...]
    overall: Difference | None
    overall_kind: str
    metric: MetricName = "spearman"
    pooled: Difference | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; undefined numbers are null."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def compare(run_a: Path, run_b: Path, *, num_resamples: int = NUM_RESAMPLES, seed: int = 0) -> Comparison:
    """Return the difference of two runs on the splits and seeds that both have.

    The metric is the accuracy if the target of both has two classes, else Spearman's correlation. Raises
    `RunError` if dataset, target, test videos or their labels differ.
    """
    configs = read_config(run_a), read_config(run_b)
    _check_same_task(run_a, run_b, configs)
    a, b = _common(read_predicted(run_a), read_predicted(run_b), (run_a, run_b))
    metric = _common_metric(configs)
    fisher_z = metric == "spearman" and share_no_videos(a)
    difference_of = partial(difference, metric=metric, num_resamples=num_resamples, seed=seed)
    overall = difference_of(a, b, name="overall", fisher_z=fisher_z) if len(a) > 1 else None
    return Comparison(
        first=_side(run_a, configs[0], a),
        second=_side(run_b, configs[1], b),
        splits=tuple(
            difference_of([x], [y], name=x.split, fisher_z=False) for x, y in zip(a, b, strict=True)
        ),
        overall=overall,
        overall_kind="" if overall is None else FISHER_Z_MEAN if fisher_z else PLAIN_MEAN,
        pooled=_pooled_difference(a, b, difference_of),
        metric=metric,
    )


def _pooled_difference(
    a: Sequence[Predicted], b: Sequence[Predicted], difference_of: Callable[..., Difference]
) -> Difference | None:
    first, second = pool_folds(a), pool_folds(b)
    if first is None or second is None:
        return None
    return difference_of([first], [second], name=POOLED, fisher_z=False)


def difference(
    first: Sequence[Predicted],
    second: Sequence[Predicted],
    *,
    name: str,
    fisher_z: bool,
    metric: MetricName = "spearman",
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> Difference:
    """Return first minus second over splits of the same videos.

    `fisher_z` averages the splits by Fisher's z, for correlations of splits that share no video.
    """
    of_counts = find_metric(metric)
    rng = np.random.default_rng(seed)
    if fisher_z:
        counts = [draw_counts([split], num=num_resamples, rng=rng)[0] for split in first]
    else:
        counts = draw_counts(first, num=num_resamples, rng=rng)
    draws_first = resample_seeds(_by_seed(first, counts, metric=of_counts, fisher_z=fisher_z), rng=rng)
    draws_second = resample_seeds(_by_seed(second, counts, metric=of_counts, fisher_z=fisher_z), rng=rng)
    values = [_value(splits, metric=of_counts, fisher_z=fisher_z) for splits in (first, second)]
    draws = draws_first - draws_second
    enough = has_enough_videos(first, metric=metric)
    return Difference(
        name=name,
        num_videos=len(distinct_videos(first)),
        first=values[0],
        second=values[1],
        difference=values[0] - values[1],
        interval=interval_of(draws) if enough else Interval.of_too_few(),
        p=two_sided_p(draws) if enough else math.nan,
    )


def two_sided_p(draws: Floats) -> float:
    """Return `min(1, 2 (1 + min(#{d <= 0}, #{d >= 0})) / (n + 1))` over the defined draws.

    Nan without any.
    """
    defined = draws[~np.isnan(draws)]
    if not defined.size:
        return math.nan
    fewer = min(np.count_nonzero(defined <= 0), np.count_nonzero(defined >= 0))
    return min(1.0, 2.0 * (1 + fewer) / (defined.size + 1))


def _by_seed(
    splits: Sequence[Predicted], counts: Sequence[Floats], *, metric: CountedMetric, fisher_z: bool
) -> Floats:
    """Return the mean over the splits, `(seed, draw)`."""
    if fisher_z:
        by_split = [resampled([s], [c], metric=metric) for s, c in zip(splits, counts, strict=True)]
        return fisher_z_over_splits(by_split)
    return resampled(splits, counts, metric=metric)


def _value(splits: Sequence[Predicted], *, metric: CountedMetric, fisher_z: bool) -> float:
    """Return the mean over seeds of each seed's mean over splits."""
    values = per_seed(splits, metric=metric)
    return float(np.mean(fisher_z_over_splits(list(values)) if fisher_z else values.mean(axis=0)))


def _common_metric(configs: Sequence[RunConfig]) -> MetricName:
    metrics = {metric_of_run(config) for config in configs}
    return metrics.pop() if len(metrics) == 1 else "spearman"


def _check_same_task(run_a: Path, run_b: Path, configs: Sequence[RunConfig]) -> None:
    for what in ("dataset", "target"):
        a, b = (getattr(config, what).name for config in configs)
        if a != b:
            raise RunError(
                f"{run_a} and {run_b} have no {what} in common ({a} and {b}): compare runs of one dataset "
                "and target."
            )


def _common(
    a: Sequence[Predicted], b: Sequence[Predicted], runs: tuple[Path, Path]
) -> tuple[list[Predicted], list[Predicted]]:
    """Return the splits that both runs have, in the order of the first, with the seeds that both have."""
    theirs = {split.split: split for split in b}
    pairs = [(split, theirs[split.split]) for split in a if split.split in theirs]
    names = [sorted(split.split for split in side) for side in (a, b)]
    if not pairs:
        raise RunError(f"{runs[0]} and {runs[1]} have no split in common: {names[0]} and {names[1]}.")
    seeds = [seed for seed in a[0].seeds if seed in b[0].seeds]
    if not seeds:
        raise RunError(
            f"{runs[0]} and {runs[1]} have no seed in common: {list(a[0].seeds)} and {list(b[0].seeds)}. "
            "Fit one of them with the other's seeds."
        )
    for x, y in pairs:
        _check_same_videos(x, y, runs)
    return [x.of_seeds(seeds) for x, _ in pairs], [y.of_seeds(seeds) for _, y in pairs]


def _check_same_videos(x: Predicted, y: Predicted, runs: tuple[Path, Path]) -> None:
    apart = sorted(set(x.videos) ^ set(y.videos))
    if apart:
        raise RunError(
            f"split {x.split!r} of {runs[0]} and {runs[1]} was not tested on the same videos: {len(apart)} "
            f"are in one run only, such as {apart[:3]}. Fit both on the same features (no --allow-missing)."
        )
    if not np.array_equal(x.true, y.true):
        raise RunError(
            f"split {x.split!r} of {runs[0]} and {runs[1]} has different labels for the same videos, because "
            "the label file changed between the two fits. Fit both again."
        )


def _side(run_dir: Path, config: RunConfig, splits: Sequence[Predicted]) -> ComparedRun:
    return ComparedRun(Path(run_dir), run_title(config), run_flags(config), len(splits[0].seeds))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, Path):
        return str(value)
    return None if isinstance(value, float) and math.isnan(value) else value


def format_comparison(comparison: Comparison) -> str:
    """Return the comparison as a table for the terminal."""
    sides = {"A": comparison.first, "B": comparison.second}
    lines = [
        f"{letter}: {side.title}, {counted(side.num_seeds, 'seed')}, {side.run_dir}"
        + "".join(f"  {flag}" for flag in side.flags)
        for letter, side in sides.items()
    ]
    rows = [*comparison.splits, *filter(None, (comparison.overall, comparison.pooled))]
    header = ("split", "videos", "A", "B", "A - B", "95 % interval", "p")
    lines += ["", format_table(header, [_row(row) for row in rows])]
    if comparison.overall:
        lines += ["", f"overall: {comparison.overall_kind}"]
    if comparison.pooled:
        lines += ["pooled: all folds together, each video tested once"]
    if comparison.metric != "spearman":
        lines += ["", f"A and B are compared by {TITLES[comparison.metric]}."]
    return "\n".join([*lines, "", _verdict(rows[-1])])


def _row(row: Difference) -> tuple[str, ...]:
    interval = row.interval.why_none or f"[{row.interval.low:+.3f}, {row.interval.high:+.3f}]"
    numbers = (f"{row.first:.3f}", f"{row.second:.3f}", f"{row.difference:+.3f}")
    p = "" if math.isnan(row.p) else f"{row.p:.4f}"
    return row.name, str(row.num_videos), *numbers, interval, p


def _verdict(row: Difference) -> str:
    if row.interval.why_none == TOO_FEW:
        return f"A comparison needs at least {FEWEST_VIDEOS} test videos in each split."
    if math.isnan(row.p):
        return "No conclusion: a correlation is undefined because its predictions are all equal."
    if row.interval.covers(0.0):
        return "No clear difference: the interval contains 0."
    return f"{'A' if row.difference > 0 else 'B'} is better: the interval does not contain 0."
