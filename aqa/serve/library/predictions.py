"""What the project's run predicts for the videos of its test sets, which their networks never saw."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from aqa_pipeline.errors import RunError


@dataclass(frozen=True)
class PredictedByRun:
    """The predicted score of each test video, by id, and half the width of the interval around each.

    A share `coverage` of the test videos lies within the interval. `learned_from` are the ids of all videos
    of the run, in any set.
    """

    scores: Mapping[str, float]
    half_width: float
    coverage: float
    learned_from: frozenset[str]


NONE = PredictedByRun({}, 0.0, 0.0, frozenset())


def predicted_by_run(run: Path) -> PredictedByRun:
    """Return the predictions of a finished run, of all its splits; `NONE` if there is no such run.

    A video that several splits test gets the mean. Importing torch makes the first call take seconds.
    """
    try:
        return _read(run, (run / "summary.json").stat().st_mtime_ns)
    except (OSError, RunError):
        return NONE


@lru_cache(maxsize=1)
def _read(run: Path, finished_ns: int) -> PredictedByRun:
    """Read the run that was finished then; it is read once."""
    import numpy as np

    from heads.evaluation.conformal_interval import half_width_of
    from heads.runs.predictions import read_predicted

    splits = read_predicted(run)
    told: dict[str, list[float]] = {}
    true: dict[str, float] = {}
    for split in splits:
        for video, score, judged in zip(split.videos, split.predicted.mean(axis=0), split.true, strict=True):
            told.setdefault(video, []).append(float(score))
            true[video] = float(judged)
    scores = {video: float(np.mean(each)) for video, each in told.items()}
    half_width, coverage = half_width_of([true[video] - scores[video] for video in scores])
    learned_from = frozenset(scores).union(*(split.training_videos for split in splits))
    return PredictedByRun(scores, half_width, coverage, learned_from)
