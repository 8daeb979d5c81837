"""The diary of athletes: the attempts of each element over time, the best one and the latest one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from aqa_pipeline.errors import DatasetError, UnknownName
from heads.attempts.attempt import Attempt, Attempts
from heads.attempts.difference import Difference, Scores, difference_of


@dataclass(frozen=True)
class ElementDiary:
    """An athlete's attempts of one element, in the order of their dates; those without a date come last.

    `best` is the attempt with the highest score (the judges', else the predicted one), `latest` the last one
    with a date. `difference` is the latest scored attempt against the scored one before it.
    """

    element: str | None
    attempts: tuple[Attempt, ...]
    best: Attempt | None
    latest: Attempt | None
    difference: Difference | None

    def mark(self, attempt: Attempt) -> str:
        """Return what the attempt is: `best`, `latest`, both, or nothing."""
        marks = (("best", self.best), ("latest", self.latest))
        return ", ".join(name for name, marked in marks if marked is attempt)


@dataclass(frozen=True)
class AthleteDiary:
    """One athlete's diary: one part for each element."""

    athlete: str
    elements: tuple[ElementDiary, ...]


def diaries_of(attempts: Attempts, athlete: str | None = None) -> list[AthleteDiary]:
    """Return the diary of one athlete, or of all by name.

    Raises `DatasetError` if the table names no athlete, and `UnknownName` for an athlete that it does not
    name.
    """
    by_athlete: dict[str, list[Attempt]] = {}
    for attempt in attempts.all:
        if attempt.video.athlete is not None:
            by_athlete.setdefault(attempt.video.athlete, []).append(attempt)
    if not by_athlete:
        raise DatasetError(
            "the table of scores names no athlete: add the columns athlete and date (and element, if there "
            "are several), such as `Ann` and `2026-05-08`."
        )
    if athlete is not None and athlete not in by_athlete:
        raise UnknownName("athlete", athlete, by_athlete)
    names = [athlete] if athlete is not None else sorted(by_athlete)
    return [AthleteDiary(name, _elements(by_athlete[name], attempts)) for name in names]


def _elements(own: Sequence[Attempt], attempts: Attempts) -> tuple[ElementDiary, ...]:
    by_element: dict[str | None, list[Attempt]] = {}
    for attempt in own:
        by_element.setdefault(attempt.video.element, []).append(attempt)
    ordered = sorted(by_element, key=lambda element: (element is None, element or ""))
    return tuple(_element(element, by_element[element], attempts) for element in ordered)


def _element(element: str | None, own: Sequence[Attempt], attempts: Attempts) -> ElementDiary:
    in_order = sorted(own, key=lambda each: each.video.performed_on or date.max)  # stable: the table's order
    dated = [each for each in in_order if each.video.performed_on is not None]
    scores = [each.score for each in own if each.score is not None]
    best = next((each for each in in_order if scores and each.score == max(scores)), None)
    scored = [each for each in dated if each.score is not None]
    difference = None
    if len(scored) > 1:
        difference = difference_of(_scores(scored[-1]), _scores(scored[-2]), attempts)
    return ElementDiary(element, tuple(in_order), best, dated[-1] if dated else None, difference)


def _scores(attempt: Attempt) -> Scores:
    return Scores(attempt.label, None if attempt.predicted is None else attempt.predicted.score)
