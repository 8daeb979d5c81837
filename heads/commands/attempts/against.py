"""`aqa score VIDEO --against ...`: score a video, and show it beside another attempt."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aqa_pipeline.errors import AqaError, DatasetError
from heads.commands.score_options import embeds

if TYPE_CHECKING:
    from aqa_pipeline.records import Dataset, Record, Video
    from heads.attempts.attempt import Attempt, Attempts
    from heads.attempts.choosing import Chosen
    from heads.attempts.comparison import Comparison, ScoredAttempt
    from heads.scoring.ensemble import Ensemble
    from heads.scoring.inputs import ScoreInput
    from heads.scoring.scorer import Scorer

ExtractRecords = Callable[["Video"], Mapping[str, "Record"]]


def score_against(
    item: "ScoreInput", scorer: "Scorer", extract: ExtractRecords, options: dict[str, Any]
) -> None:
    """Score the video and another attempt, print both and their difference, and write the page.

    The option `against` is `last`, `best`, the path of a video, or the name of a performance in the table.
    Raises `DatasetError` if the attempt cannot be chosen, and the errors of scoring.
    """
    from heads.attempts.alignment import align
    from heads.attempts.attempt import Attempt
    from heads.attempts.attempts_page_content import write_comparison
    from heads.attempts.choosing import find_attempt
    from heads.attempts.comparison import Comparison
    from heads.attempts.difference import difference_of
    from heads.attempts.stored_scores import store_score
    from heads.scoring.shown.score_text import format_result

    dataset, attempts = _table_of(scorer.ensemble)
    new = find_attempt(attempts.all, item.video.path) or Attempt(item.video)
    chosen = _choose(options["against"], attempts, new, item.video.path)
    if item.video.boxes is not None:
        new = replace(new, video=replace(new.video, boxes=item.video.boxes))
    sides = [
        _scored(each, scorer, dataset, extract, difficulty=difficulty)
        for each, difficulty in ((new, options["difficulty"]), (chosen.attempt, None))
    ]
    comparison = Comparison(
        new=sides[0],
        old=sides[1],
        how=chosen.how,
        time_map=align(sides[0].result.records, sides[1].result.records, scorer.facts),
        difference=difference_of(sides[0].scores, sides[1].scores, attempts),
    )
    is_new = new.predicted is None or new.predicted.source == "stored"
    if is_new and options["cache"] is None and options["split"] is None:
        store_score(scorer.ensemble.run_dir, comparison.new.result)
    for side in sides:
        click.echo(format_result(side.result, side.scorer))
        click.echo()
    click.secho(comparison.difference.headline, bold=True)
    for sentence in (f"Against {chosen.how}", *comparison.difference.sentences):
        click.echo(sentence)
    if options["html"]:
        path, embed = _page_path(options["html"], comparison), embeds(options, single=True)
        page = write_comparison(comparison, path, embed=embed)
        click.echo(f"Page: {page}")


def _page_path(out: Path, comparison: "Comparison") -> Path:
    """Return `out`, or a file named after both attempts in it, if it is a folder."""
    from aqa_pipeline.disk.files import file_name

    names = f"{comparison.new.attempt.name} beside {comparison.old.attempt.name}"
    return out / f"{file_name(names)}.html" if out.is_dir() else out


def _table_of(ensemble: "Ensemble") -> tuple["Dataset", "Attempts"]:
    """Return the run's dataset as it is now, and its attempts."""
    from heads.attempts.attempt import read_attempts
    from heads.runs.config import dataset_of

    dataset = dataset_of(ensemble.config)
    return dataset, read_attempts(dataset, ensemble.run_dir)


def _choose(against: str, attempts: "Attempts", new: "Attempt", path: Path) -> "Chosen":
    from aqa_pipeline.records import Video
    from heads.attempts.attempt import Attempt
    from heads.attempts.choosing import BEST, LAST, Chosen, choose, find_attempt

    if against in (LAST, BEST):
        return choose(against, attempts.all, new, path)
    named = next((each for each in attempts.all if each.video.video_id == against and each is not new), None)
    if named is not None:
        return Chosen(named, f"{against}, which was named.")
    other = Path(against)
    if not other.exists():
        raise DatasetError(
            f"--against {against}: there is no such file; expected last, best, a video, or the name of a "
            "performance in the table."
        )
    if other.resolve() == path.resolve():
        raise DatasetError(f"--against {against}: that is the scored video itself.")
    found = find_attempt(attempts.all, other) or Attempt(Video(other.stem, other))
    return Chosen(found, f"{other.name}, which was named.")


def _scored(
    attempt: "Attempt",
    scorer: "Scorer",
    dataset: "Dataset",
    extract: ExtractRecords,
    *,
    difficulty: float | None,
) -> "ScoredAttempt":
    from heads.attempts.comparison import score_attempt, stored_records

    video = attempt.video
    try:
        in_table = any(each is video for each in dataset.videos)
        records = stored_records(video, scorer, dataset) if in_table else None
        return score_attempt(attempt, scorer, records or extract(video), difficulty=difficulty)
    except AqaError as error:
        raise AqaError(f"{video.path}: {str(error).removeprefix(f'{video.path}: ')}") from error
