"""What the project's run predicts for the videos of its test sets, which their networks never saw."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from aqa_pipeline.errors import RunError


@dataclass(frozen=True)
class PredictedByRun:
    """The predicted score of each test video, by id, with its range: `(score, low, high)`.

    The judges' score of a share `coverage` of videos lies within the range. `learned_from` are the ids of all
    videos of the run, in any set.
    """

    scores: Mapping[str, tuple[float, float, float]]
    coverage: float
    learned_from: frozenset[str]


NONE = PredictedByRun({}, 0.0, frozenset())


def predicted_by_run(run: Path) -> PredictedByRun:
    """Return the predictions of a finished run, of all its splits; `NONE` if there is no such run.

    Importing torch makes the first call take seconds.
    """
    try:
        return _read(run, (run / "summary.json").stat().st_mtime_ns)
    except (OSError, RunError):
        return NONE


@lru_cache(maxsize=1)
def _read(run: Path, finished_ns: int) -> PredictedByRun:
    """Read the run that was finished then; it is read once."""
    from heads.evaluation.tested_scores import tested_scores
    from heads.runs.predictions import read_predicted

    splits = read_predicted(run)
    told = tested_scores(run, splits)
    scores = {video: (each.score, each.interval.low, each.interval.high) for video, each in told.items()}
    coverage = next((each.interval.coverage for each in told.values()), 0.0)
    learned_from = frozenset(scores).union(*(split.training_videos for split in splits))
    return PredictedByRun(scores, coverage, learned_from)
