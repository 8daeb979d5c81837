"""Two attempts with their scores, by networks that did not see them, and how both are aligned in time."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from aqa_pipeline.records import Dataset, Record, Video
from aqa_pipeline.sources.outdated import find_changed
from aqa_pipeline.store import Store
from heads.attempts.attempt import Attempt
from heads.attempts.difference import Difference, Scores
from heads.attempts.time_map import TimeMap
from heads.data.labels import DIFFICULTY
from heads.scoring.result import ScoringResult
from heads.scoring.scorer import Scorer, score_video


@dataclass(frozen=True, eq=False)
class ScoredAttempt:
    """An attempt with its score, its records, and the networks that scored it."""

    attempt: Attempt
    result: ScoringResult
    scorer: Scorer

    @property
    def label(self) -> float | None:
        """The judges' score; None if it is unknown."""
        return self.attempt.label

    @property
    def scores(self) -> Scores:
        """The judges' score and the predicted one; the predicted one is None if the video is not scored."""
        scored = self.result.scored_video
        predicted = None if scored.not_scored is not None else scored.prediction.score
        return Scores(self.label, predicted)


@dataclass(frozen=True, eq=False)
class Comparison:
    """A new attempt and the one that it is compared with. `how` says how that one was chosen."""

    new: ScoredAttempt
    old: ScoredAttempt
    how: str
    time_map: TimeMap
    difference: Difference


def score_attempt(
    attempt: Attempt, scorer: Scorer, records: Mapping[str, Record], *, difficulty: float | None
) -> ScoredAttempt:
    """Return the scored attempt, by the networks that never saw its video; without any, it is not scored.

    `difficulty` is the video's, by default the table's. Raises as `score_video`.
    """
    video, ensemble = attempt.video, scorer.ensemble
    if ensemble.needs_difficulty:
        ensemble = ensemble.with_difficulty(difficulty or video.labels.get(DIFFICULTY))
    unseen = tuple(cell for cell in ensemble.cells if video.video_id not in cell.train_ids)
    is_tested = attempt.predicted is not None and attempt.predicted.source == "test"
    own = replace(scorer, ensemble=replace(ensemble, cells=unseen or ensemble.cells))
    scored = score_video(own, attempt.name, records, expected=bool(unseen) and is_tested)
    return ScoredAttempt(attempt, ScoringResult(video, scored, records, attempt.label), own)


def stored_records(video: Video, scorer: Scorer, dataset: Dataset) -> Mapping[str, Record] | None:
    """Return the records of a dataset's video from the run's store; None unless all belong to the file."""
    specs = scorer.ensemble.specs
    folder = Path(scorer.ensemble.config.store)
    if not folder.exists():
        return None
    store = Store(folder)
    if not all(store.has(dataset.name, video.video_id, spec) for spec in specs.values()):
        return None
    if find_changed(store, dataset, list(specs.values()), [video.video_id]):
        return None
    return {name: store.read(dataset.name, video.video_id, spec) for name, spec in specs.items()}
