"""Two attempts beside each other: both scores, their difference, and how surely it is more than error."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from aqa_pipeline.records import Dataset, Record, Video
from aqa_pipeline.sources.outdated import find_changed
from aqa_pipeline.store import Store
from heads.attempts.attempt import Attempt, Attempts
from heads.attempts.progress import Progress
from heads.attempts.time_map import TimeMap
from heads.attempts.typical_error import error_of_a_difference, error_of_one_score
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
    def predicted(self) -> float | None:
        """The predicted score; None if the video is not scored."""
        scored = self.result.scored_video
        return None if scored.not_scored is not None else scored.prediction.score


@dataclass(frozen=True, eq=False)
class Comparison:
    """A new attempt and the one that it is compared with. `how` says how that one was chosen."""

    new: ScoredAttempt
    old: ScoredAttempt
    how: str
    time_map: TimeMap
    progress: Progress | None

    @property
    def by_judges(self) -> float | None:
        """The difference of the judges' scores; None unless both attempts have one."""
        if self.new.label is None or self.old.label is None:
            return None
        return self.new.label - self.old.label

    @property
    def headline(self) -> str:
        """The sentence on the difference: of the judges' scores, else of the predicted ones."""
        if self.by_judges is not None:
            return f"{self.by_judges:+.2f} by the judges: {self.new.label:.2f} after {self.old.label:.2f}."
        if self.progress is None:
            return "No difference: neither the judges nor the run score both attempts."
        return self.progress.sentence

    @property
    def sentences(self) -> list[str]:
        """The sentences below the headline: the predicted difference, what it compares, and its error."""
        if self.progress is None:
            return []
        told = [f"Predicted: {self.progress.sentence}"] if self.by_judges is not None else []
        error = self.progress.error
        if error is not None and error.basis != "one":
            told.append(
                "Compared are the predictions of both attempts, each by networks that were not trained on it."
            )
        return [*told, *([error.why] if error else [])]


def compare_scores(new: ScoredAttempt, old: ScoredAttempt, attempts: Attempts) -> Progress | None:
    """Return the predicted difference; where one attempt is not scored, its label takes the place.

    None if an attempt has neither, or if both have labels alone, which have no error of the run.
    """
    if new.predicted is not None and old.predicted is not None:
        error = error_of_a_difference(attempts.residuals, attempts.athletes)
        return Progress(new.predicted - old.predicted, error)
    here, there = (_either(each) for each in (new, old))
    if here is None or there is None or (new.predicted is None and old.predicted is None):
        return None
    return Progress(here - there, error_of_one_score(attempts.residuals))


def _either(attempt: ScoredAttempt) -> float | None:
    return attempt.label if attempt.predicted is None else attempt.predicted


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
