"""A diary as text and as CSV."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from aqa_pipeline.disk.files import write_whole
from aqa_pipeline.text_table import format_table
from aqa_pipeline.untrusted.csv_fields import csv_text
from heads.attempts.attempt import Attempt
from heads.attempts.diary import AthleteDiary, ElementDiary

COLUMNS = (
    "athlete",
    "element",
    "date",
    "video",
    "judges",
    "predicted",
    "interval_low",
    "interval_high",
    "best",
    "latest",
)


def format_diaries(diaries: Sequence[AthleteDiary]) -> str:
    """Return the text that `aqa diary` prints: a table for each athlete and element."""
    lines = [line for diary in diaries for line in _lines(diary)]
    if any(each.score is None for diary in diaries for part in diary.elements for each in part.attempts):
        lines.append("`aqa score VIDEO` predicts the score of a video and keeps it for the diary.")
    return "\n".join(lines).rstrip()


def _lines(diary: AthleteDiary) -> Iterator[str]:
    for part in diary.elements:
        yield f"{diary.athlete}, {part.element}" if part.element else diary.athlete
        yield format_table(
            ("date", "video", "judges", "predicted", ""), [_row(each, part) for each in part.attempts]
        )
        yield from sentences_of(part)
        yield ""


def sentences_of(part: ElementDiary) -> list[str]:
    """Return the sentences below a table: the latest against the one before it, and what is not scored."""
    told = []
    if part.difference is not None:
        told.append(f"The latest scored attempt against the one before: {part.difference.headline}")
        told += [each for each in part.difference.sentences if each.startswith("Predicted: ")]
    unscored = [each for each in part.attempts if each.score is None]
    if unscored:
        names = ", ".join(each.name for each in unscored[:3]) + (", ..." if len(unscored) > 3 else "")
        told.append(f"Not scored yet: {names}.")
    return told


def _row(attempt: Attempt, part: ElementDiary) -> tuple[object, ...]:
    return when(attempt), attempt.name, judges_text(attempt), predicted_text(attempt), part.mark(attempt)


def when(attempt: Attempt) -> str:
    """Return the date, or `no date`."""
    return attempt.video.performed_on.isoformat() if attempt.video.performed_on else "no date"


def judges_text(attempt: Attempt) -> str:
    """Return the judges' score, or nothing."""
    return "" if attempt.label is None else f"{attempt.label:.2f}"


def predicted_text(attempt: Attempt) -> str:
    """Return the predicted score with its interval, or nothing."""
    if attempt.predicted is None:
        return ""
    low, high = attempt.predicted.interval
    return f"{attempt.predicted.score:.2f} ({low:.2f} to {high:.2f})"


def write_diary_csv(path: Path, diaries: Sequence[AthleteDiary]) -> None:
    """Write one row per attempt; text that a spreadsheet would run as a formula is made safe."""
    rows = [
        _csv_row(each, part, diary.athlete)
        for diary in diaries
        for part in diary.elements
        for each in part.attempts
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, csv_text(rows, columns=COLUMNS).encode())


def _csv_row(attempt: Attempt, part: ElementDiary, athlete: str) -> dict[str, object]:
    predicted = attempt.predicted
    return {
        "athlete": athlete,
        "element": part.element,
        "date": attempt.video.performed_on,
        "video": attempt.name,
        "judges": attempt.label,
        "predicted": predicted and round(predicted.score, 4),
        "interval_low": predicted and round(predicted.interval[0], 4),
        "interval_high": predicted and round(predicted.interval[1], 4),
        "best": "yes" if attempt is part.best else None,
        "latest": "yes" if attempt is part.latest else None,
    }
