"""The content of the page of a diary: places of scores and dates in charts, and tables."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from heads.attempts.attempt import Attempt, Attempts
from heads.attempts.diary import AthleteDiary, ElementDiary
from heads.attempts.diary_text import judges_text, predicted_text, sentences_of, when
from heads.pages.diary_page import DiaryPage, DiaryPart, DiaryRow, Point, write_diary_page
from heads.pages.media import relative_address
from heads.pages.score_page import Mark
from heads.scoring.shown.score_axis import ScoreAxis, round_axis

MOST_DAYS = 4  # on the axis of time


def write_diary(path: Path, diaries: Sequence[AthleteDiary], attempts: Attempts, *, dataset: str) -> Path:
    """Write the page of these diaries and return its path."""
    return write_diary_page(path, diary_page(diaries, attempts, dataset=dataset, path=path))


def diary_page(diaries: Sequence[AthleteDiary], attempts: Attempts, *, dataset: str, path: Path) -> DiaryPage:
    """Return the page of these diaries; its links start from `path`."""
    athletes = [(diary.athlete, _parts(diary, page=path)) for diary in diaries]
    title = f"Diary of {diaries[0].athlete}" if len(diaries) == 1 else f"Diary of {len(diaries)} athletes"
    return DiaryPage(f"{title}: {attempts.target}", list(_notes(dataset, attempts)), athletes)


def _notes(dataset: str, attempts: Attempts) -> Iterator[str]:
    yield f"Attempts of {dataset}."
    if attempts.residuals:
        yield (
            "A predicted score is that of networks that were not trained on the video. Its interval holds "
            f"the judges' score of {100 * attempts.coverage:.0f} of 100 videos."
        )


def _parts(diary: AthleteDiary, *, page: Path) -> list[DiaryPart]:
    """Return the parts of an athlete's diary; all its charts have the same axis of scores."""
    values = [value for part in diary.elements for each in part.attempts for value in _values(each)]
    axis = round_axis(values) if values else None
    return [_part(part, axis, page=page) for part in diary.elements]


def _values(attempt: Attempt) -> Iterator[float]:
    if attempt.label is not None:
        yield attempt.label
    if attempt.predicted is not None:
        yield from (attempt.predicted.score, *attempt.predicted.interval)


def _part(part: ElementDiary, axis: ScoreAxis | None, *, page: Path) -> DiaryPart:
    shown = [
        (day, each)
        for each in part.attempts
        if (day := each.video.performed_on) is not None and each.score is not None
    ]
    days = [day for day, _ in shown]
    return DiaryPart(
        element=part.element or "",
        summary=[*_best_and_latest(part), *sentences_of(part)],
        points=[_point(each, part, axis, at=_share(day, days)) for day, each in shown if axis is not None],
        days=_day_marks(days),
        marks=axis.marks if axis else (),
        rows=[_row(each, part, page=page) for each in part.attempts],
    )


def _best_and_latest(part: ElementDiary) -> Iterator[str]:
    told = {"Best": part.best, "Latest": part.latest}
    words = [f"{name}: {_in_words(each)}" for name, each in told.items() if each is not None]
    if words:
        yield ". ".join(words) + "."


def _in_words(attempt: Attempt) -> str:
    if attempt.score is None:
        return f"{when(attempt)}, not scored yet"
    whose = "by the judges" if attempt.label is not None else "predicted"
    return f"{attempt.score:.2f} {whose}, {when(attempt)}"


def _point(attempt: Attempt, part: ElementDiary, axis: ScoreAxis, *, at: float) -> Point:
    predicted = attempt.predicted
    low, high = predicted.interval if predicted else (0.0, 0.0)
    told = {"judges": judges_text(attempt), "predicted": predicted_text(attempt)}
    words = ", ".join(f"{name} {value}" for name, value in told.items() if value)
    return Point(
        at=at,
        judges=None if attempt.label is None else axis.share(attempt.label),
        predicted=None if predicted is None else axis.share(predicted.score),
        interval=None if predicted is None else (axis.share(low), axis.share(high)),
        text=f"{when(attempt)}, {attempt.name}: {words}",
        mark=part.mark(attempt),
    )


def _share(day: date, days: Sequence[date]) -> float:
    """Return the place of a day between the first and the last one, away from both edges."""
    first, last = min(days), max(days)
    return 0.05 + 0.9 * ((day - first) / (last - first)) if first < last else 0.5


def _day_marks(days: Sequence[date]) -> list[Mark]:
    """Return a mark at the first and the last day, and at up to two days between them."""
    different = sorted(set(days))
    if not different:
        return []
    span = (different[-1] - different[0]).days
    targets = [different[0].toordinal() + span * number / (MOST_DAYS - 1) for number in range(MOST_DAYS)]
    chosen = {min(different, key=lambda day: abs(day.toordinal() - target)) for target in targets}
    return [Mark(_share(day, different), day.isoformat()) for day in sorted(chosen)]


def _row(attempt: Attempt, part: ElementDiary, *, page: Path) -> DiaryRow:
    path = attempt.video.path
    return DiaryRow(
        day=when(attempt),
        video=attempt.name,
        link=relative_address(path, page) if path.is_file() else "",
        judges=judges_text(attempt),
        predicted=predicted_text(attempt),
        mark=part.mark(attempt),
    )
