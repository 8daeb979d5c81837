"""The attempts that a dataset's table names, with their labels and what a run predicts for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from aqa_pipeline.errors import RunError
from aqa_pipeline.records import Dataset, Video
from heads.attempts.stored_scores import read_scores
from heads.evaluation.conformal_interval import COVERAGE
from heads.evaluation.tested_scores import TestedScore, residuals_by_video, tested_scores
from heads.evaluation.two_class_target import class_names
from heads.runs.config import read_config
from heads.runs.predictions import read_predicted

Floats = Mapping[str, float]


@dataclass(frozen=True)
class PredictedScore:
    """A predicted score with its interval, on the raw scale of the judges.

    `source` "test": the networks that predicted it never saw the video, which is in the run's test set.
    "stored": the score of a new video, which the run keeps.
    """

    score: float
    interval: tuple[float, float]
    source: Literal["test", "stored"]


@dataclass(frozen=True)
class Attempt:
    """One row of the table: the video, the judges' score, and the predicted one; None where unknown."""

    video: Video
    label: float | None = None
    predicted: PredictedScore | None = None

    @property
    def name(self) -> str:
        """The name of the video's file, or of the performance if the file holds several."""
        whole = self.video.start_frame == 0 and self.video.stop_frame is None
        return self.video.path.name if whole else self.video.video_id

    @property
    def score(self) -> float | None:
        """The judges' score, else the predicted one."""
        if self.label is not None:
            return self.label
        return None if self.predicted is None else self.predicted.score


@dataclass(frozen=True)
class Attempts:
    """All attempts in the order of the table, and the errors of the run on its test videos.

    `residuals` are labels minus predictions by video id; empty without a run. `target` is the label's name.
    The interval of a predicted score holds the judges' score of a share `coverage` of videos.
    """

    all: tuple[Attempt, ...]
    residuals: Floats
    target: str
    coverage: float = COVERAGE

    @property
    def athletes(self) -> dict[str, str | None]:
        """The athlete of each video by id."""
        return {attempt.video.video_id: attempt.video.athlete for attempt in self.all}


def read_attempts(dataset: Dataset, run_dir: Path | None, *, target: str | None = None) -> Attempts:
    """Return the attempts of a dataset; without a run they have labels alone, those of `target`.

    Raises `RunError` for an unfinished or damaged run and for one that predicts classes, and `DatasetError`
    for a table without a score.
    """
    if run_dir is None:
        target = dataset.target(target).name
        return Attempts(tuple(Attempt(v, v.labels.get(target)) for v in dataset.videos), {}, target)
    config = read_config(run_dir)
    if class_names(config, list(config.splits)) is not None:
        raise RunError(
            f"the run {run_dir} predicts one of two classes: only attempts with scores are compared."
        )
    target = config.target.name
    splits = read_predicted(run_dir)
    tested = tested_scores(run_dir, splits)
    predicted = _stored(run_dir, dataset.videos) | {
        video: PredictedScore(each.score, (each.interval.low, each.interval.high), "test")
        for video, each in tested.items()
    }
    attempts = [Attempt(v, v.labels.get(target), predicted.get(v.video_id)) for v in dataset.videos]
    return Attempts(tuple(attempts), residuals_by_video(splits), target, _coverage(tested))


def _stored(run_dir: Path, videos: Sequence[Video]) -> dict[str, PredictedScore]:
    found = {}
    for video, stored in read_scores(run_dir, videos).items():
        if stored.score is not None and stored.low is not None and stored.high is not None:
            found[video] = PredictedScore(stored.score, (stored.low, stored.high), "stored")
    return found


def _coverage(tested: Mapping[str, TestedScore]) -> float:
    return next((each.interval.coverage for each in tested.values()), COVERAGE)
