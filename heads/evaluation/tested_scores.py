"""The predicted score of each test video of a run, by the networks that never saw it, with its interval."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from heads.evaluation.conformal_interval import ScoreInterval, score_interval
from heads.runs.config import read_config
from heads.runs.inner_choice import out_of_fold_residuals
from heads.runs.predictions import Predicted


@dataclass(frozen=True)
class TestedScore:
    """A predicted score and its interval, on the raw scale of the judges."""

    __test__ = False  # no class of tests

    score: float
    interval: ScoreInterval


def tested_scores(run_dir: Path, splits: Sequence[Predicted]) -> dict[str, TestedScore]:
    """Return the score of each test video: the mean of all networks that tested it, over splits and seeds.

    The interval comes from the errors on training videos that were held out, as that of a new video does,
    and from the errors on test videos for a run without such. `splits` are the run's predictions.
    """
    config = read_config(run_dir)
    held_out = out_of_fold_residuals(run_dir, list(config.splits))
    errors = np.array(list(residuals_by_video(splits).values())) if held_out is None else held_out
    scores: dict[str, list[float]] = {}
    for split in splits:
        for video, of_seeds in zip(split.videos, split.predicted.T.tolist(), strict=True):
            scores.setdefault(video, []).extend(of_seeds)
    return {
        video: TestedScore(float(np.mean(each)), score_interval(each, errors, target=config.target))
        for video, each in scores.items()
    }


def residuals_by_video(splits: Sequence[Predicted]) -> Mapping[str, float]:
    """Return label minus prediction of each test video; several splits are averaged."""
    found: dict[str, list[float]] = {}
    for split in splits:
        for video, residual in zip(split.videos, split.true - split.predicted.mean(axis=0), strict=True):
            found.setdefault(video, []).append(float(residual))
    return {video: float(np.mean(of_video)) for video, of_video in found.items()}
