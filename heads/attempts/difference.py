"""The difference of the scores of two attempts, in words: by the judges, predicted, and how sure it is."""

from dataclasses import dataclass

from heads.attempts.attempt import Attempts
from heads.attempts.progress import Evidence, Progress
from heads.attempts.typical_error import error_of_a_difference, error_of_one_score


@dataclass(frozen=True)
class Scores:
    """The judges' score of an attempt and its predicted one; None where unknown."""

    label: float | None
    predicted: float | None

    @property
    def either(self) -> float | None:
        """The predicted score, else the judges'."""
        return self.label if self.predicted is None else self.predicted


@dataclass(frozen=True)
class Difference:
    """A newer attempt against an older one.

    `progress` is the predicted difference; None if no prediction is part of it.
    """

    new: Scores
    old: Scores
    progress: Progress | None

    @property
    def by_judges(self) -> float | None:
        """The difference of the judges' scores; None unless both attempts have one."""
        if self.new.label is None or self.old.label is None:
            return None
        return self.new.label - self.old.label

    @property
    def evidence(self) -> Evidence:
        """How surely the predicted scores differ."""
        return "unknown" if self.progress is None else self.progress.evidence

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


def difference_of(new: Scores, old: Scores, attempts: Attempts) -> Difference:
    """Return the difference of two attempts; `attempts` hold the run's errors.

    If one attempt has no prediction, its label takes the place.
    """
    if new.predicted is not None and old.predicted is not None:
        error = error_of_a_difference(attempts.residuals, attempts.athletes)
        return Difference(new, old, Progress(new.predicted - old.predicted, error))
    if (new.predicted is None and old.predicted is None) or new.either is None or old.either is None:
        return Difference(new, old, None)
    return Difference(new, old, Progress(new.either - old.either, error_of_one_score(attempts.residuals)))
