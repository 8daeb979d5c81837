"""A run beside its baselines: each one's metric and error, and the paired difference with its interval."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aqa_pipeline.metrics import Interval
from aqa_pipeline.text_table import format_table
from heads.evaluation.baselines import BASELINES, BaselineRow, head_name, read_baselines
from heads.evaluation.bootstrap import NUM_RESAMPLES
from heads.evaluation.compare import difference
from heads.evaluation.evaluate import share_no_videos
from heads.evaluation.metric import TITLES, metric_of_run
from heads.recipes import MetricName
from heads.runs.config import read_config
from heads.runs.predictions import Predicted, over_seeds_of
from heads.runs.run_config import RunConfig
from heads.runs.trained_cell import cell_folder, is_complete, read_cell, split_folder


@dataclass(frozen=True)
class AgainstBaseline:
    """A baseline's metric and mean error in points, and the run's metric minus the baseline's.

    A constant baseline has no rank correlation: its value, difference and interval are undefined.
    """

    baseline: str
    value: float
    mean_error: float
    difference: float
    interval: Interval

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; undefined numbers are null."""
        values = asdict(self)
        values["interval"] = [self.interval.low, self.interval.high]
        return {name: _without_nan(value) for name, value in values.items()}


@dataclass(frozen=True)
class AgainstBaselines:
    """The run's own metric and mean error, and every baseline beside them."""

    metric: MetricName
    value: float
    mean_error: float
    baselines: tuple[AgainstBaseline, ...]


def against_baselines(run_dir: Path, *, num_resamples: int = NUM_RESAMPLES) -> AgainstBaselines | None:
    """Return the comparison of a run with its baselines, or None for a run without any.

    The run's value is the mean over seeds. Draws of test videos are the same for both sides.
    """
    config = read_config(run_dir)
    splits = _tested(run_dir, config)
    rows = [read_baselines(split_folder(run_dir, split.split)) for split in splits]
    if not splits or not all(rows):
        return None
    metric = metric_of_run(config)
    fisher_z = metric == "spearman" and share_no_videos(splits)
    found = []
    value = math.nan
    for name in BASELINES:
        theirs = [_as_predicted(split, of, name) for split, of in zip(splits, rows, strict=True) if of]
        if any(np.isnan(split.predicted).any() for split in theirs):
            continue
        compared = difference(
            splits, theirs, name=name, fisher_z=fisher_z, metric=metric, num_resamples=num_resamples
        )
        value = compared.first
        found.append(
            AgainstBaseline(
                head_name(name), compared.second, _error(theirs), compared.difference, compared.interval
            )
        )
    return AgainstBaselines(metric, value, _error(splits), tuple(found))


def format_against_baselines(compared: AgainstBaselines, *, title: str) -> str:
    """Return the comparison as a table for the terminal; `title` names the run's head."""
    header = ("head", TITLES[compared.metric], "mean error", "difference", "95 % interval")
    rows = [(title, _number(compared.value), f"{compared.mean_error:.3g}", "", "")]
    rows += [
        (
            each.baseline,
            _number(each.value),
            f"{each.mean_error:.3g}",
            "" if math.isnan(each.difference) else f"{each.difference:+.3f}",
            "" if math.isnan(each.difference) else _bracket(each.interval),
        )
        for each in compared.baselines
    ]
    return format_table(header, rows)


def _tested(run_dir: Path, config: RunConfig) -> list[Predicted]:
    """Return the test predictions of every split with a finished cell."""
    finished = [(s, k) for s, k in config.cells if is_complete(cell_folder(run_dir, split=s, seed=k))]
    by_split = {split: [seed for name, seed in finished if name == split] for split, _ in finished}
    return [
        over_seeds_of([read_cell(run_dir, split=split, seed=seed) for seed in seeds])
        for split, seeds in by_split.items()
    ]


def _as_predicted(split: Predicted, rows: Sequence[BaselineRow], name: str) -> Predicted:
    """Return a baseline's predictions for the videos of a split, as if they were one seed's."""
    of_video = {row.video_id: float(getattr(row, name)) for row in rows}
    predicted = np.array([[of_video[video] for video in split.videos]])
    return Predicted(split.split, (0,), split.videos, split.true, predicted, split.training_videos)


def _error(splits: Sequence[Predicted]) -> float:
    """Return the mean absolute error in points, over the videos of all splits."""
    errors = [np.abs(split.predicted.mean(axis=0) - split.true) for split in splits]
    return float(np.concatenate(errors).mean())


def _without_nan(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_nan(each) for each in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _number(value: float) -> str:
    return "undefined" if math.isnan(value) else f"{value:.3f}"


def _bracket(interval: Interval) -> str:
    return interval.why_none or f"[{interval.low:+.3f}, {interval.high:+.3f}]"
