"""`aqa score`: a number for new videos, and the page that shows its reasons."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aqa_pipeline.commands.defaults import only_run
from aqa_pipeline.commands.options import (
    SOME_FAILED,
    Decorator,
    example,
    network_options,
    plugin_option,
    reader_option,
)
from aqa_pipeline.errors import AqaError
from heads.commands.score_options import CACHE, check_score_options, score_options

if TYPE_CHECKING:
    from aqa_pipeline.records import Record, Video
    from heads.scoring.ensemble import Ensemble
    from heads.scoring.inputs import ScoreInput
    from heads.scoring.result import ScoringResult
    from heads.scoring.scorer import Scorer

# Gives the function that makes or finds the records of one video; the front door tells, for it knows stage 1.
OpenCache = Callable[["Ensemble", dict[str, Any]], Callable[["Video"], Mapping[str, "Record"]]]


def make_score(open_cache: OpenCache, *, extraction_options: Decorator) -> click.Command:
    """The command `aqa score`, which has features extracted by what `open_cache` gives.

    `extraction_options` are options of stage 1 that it takes too, and hands on to `open_cache`.
    """

    @click.command(
        epilog=example("aqa score my-routine.mp4 --run runs/mit-skating-action-net --html my-routine.html")
    )
    @click.argument("videos", nargs=-1, type=click.Path(path_type=Path), metavar="[VIDEO...]")
    @score_options
    @extraction_options
    @network_options(otherwise="the run's")
    @reader_option
    @plugin_option
    @click.pass_context
    def score(
        ctx: click.Context, videos: tuple[Path, ...], run: Path | None, split: str | None, **options: Any
    ) -> None:
        """Scores videos as the run's test videos were scored, and tells which moments made the score.

        A VIDEO is a file, a folder of numbered pictures, or a folder of videos, which are all scored.
        Prints score ± interval, its place among the training scores, and warnings where a video is unlike
        those that the run learned from, or where the tracker lost the athlete. Features are made exactly as
        the run's were and kept: a video is extracted once. A video that fails is named with the reason, the
        others are scored; exit code 3.
        """
        from heads.scoring.ensemble import load_ensemble
        from heads.scoring.inputs import find_videos, video_inputs
        from heads.scoring.score_files import write_csv, write_json
        from heads.scoring.scorer import make_scorer

        videos = tuple(find_videos(videos))
        check_score_options(ctx, options, videos)
        run = only_run(run)
        ensemble = load_ensemble(run, split=split).with_difficulty(options["difficulty"])
        if options["features"]:
            items = _features_to_score(ensemble, options)
        else:
            records_of = open_cache(ensemble, options | {"cache": options["cache"] or run / CACHE})
            items = video_inputs(videos, records_of, boxes=options["boxes"], fps=options["fps"])
        scorer = make_scorer(ensemble)
        scored, failures = _score_all(items, scorer)
        for write, target in ((write_json, options["json_path"]), (write_csv, options["csv_path"])):
            if target:
                write(target, scored, failures, scorer=scorer)
                click.echo(f"Written: {target}")
        if options["html"]:
            write_html = _write_table if options["features"] else _write_pages
            write_html(scored, scorer, failures, options)
        ctx.exit(SOME_FAILED if failures else 0)

    return score


def _features_to_score(ensemble: "Ensemble", options: dict[str, Any]) -> list["ScoreInput"]:
    from heads.scoring.external_features import StepSeconds
    from heads.scoring.inputs import feature_inputs

    items = feature_inputs(options["features"], ensemble, StepSeconds(_seconds(options["step_seconds"])))
    if options["difficulty"] and len(items) > 1:
        raise click.UsageError(f"--difficulty: of one video; score these {len(items)} one by one.")
    learned_from = " and ".join(spec.in_words for spec in ensemble.specs.values())
    click.echo(
        f"The run learned from {learned_from}. "
        "The features are taken as made the same way: no file tells it.",
        err=True,
    )
    return items


def _seconds(texts: Sequence[str]) -> dict[str, float]:
    """Return ('3.2', 'crops=1') as {'': 3.2, 'crops': 1.0}."""
    chosen = {}
    for text in texts:
        stream, _, number = text.rpartition("=")
        try:
            chosen[stream] = float(number)
        except ValueError:
            chosen[stream] = math.nan
        if not 0 < chosen[stream] < math.inf:
            raise click.UsageError(f"--step-seconds wants a number above 0, such as 3.2; got {text!r}.")
    return chosen


def _score_all(
    items: Sequence["ScoreInput"], scorer: "Scorer"
) -> tuple[list["ScoringResult"], dict[str, str]]:
    """Score one after the other and print each; return what failed, with the reason, by name."""
    from heads.scoring.result import ScoringResult
    from heads.scoring.score_text import format_scored_video
    from heads.scoring.scorer import score_video
    from heads.scoring.tracking import tracking_sentences
    from heads.scoring.visible_parts import head_window_sentences, stream_part_sentences

    scored, failures = [], {}
    for number, item in enumerate(items, start=1):
        if len(items) > 1:
            click.echo(f"{number} of {len(items)}: {item.name}", err=True)
        try:
            records = item.records()
            one = ScoringResult(item.video, score_video(scorer, item.name, records), records)
            seen = (
                *tracking_sentences(records),
                *stream_part_sentences(records),
                *head_window_sentences(records, scorer.ensemble),
            )
            click.echo(format_scored_video(one.scored_video, scorer, followed=seen))
            click.echo()
            scored.append(one)
        except AqaError as error:
            # errors of reading name the file too
            failures[item.name] = str(error).removeprefix(f"{item.video.path}: ")
            click.secho(f"{item.video.path}: {failures[item.name]}", fg="red", err=True)
    return scored, failures


def _write_pages(
    scored: list["ScoringResult"], scorer: "Scorer", failures: dict[str, str], options: dict[str, Any]
) -> None:
    """One page per video, and one over several; a page that cannot be made is a failure like any other."""
    from heads.scoring.index_page_content import INDEX, write_index
    from heads.scoring.score_page_content import page_paths, write_page_of

    out, embed = options["html"], options["embed"]
    single = len(scored) + len(failures) == 1
    back = None if single else (out / INDEX, "all scored videos")
    pages: dict[int, Path] = {}
    for number, path in enumerate(page_paths(out, scored, single=single)):
        one = scored[number]
        try:
            pages[number] = write_page_of(one, scorer, path, embed=embed, back=back)
            click.echo(f"Page: {pages[number]}")
        except AqaError as error:
            failures[one.scored_video.name] = f"no page: {error}"
            click.secho(f"{one.video.path}: no page: {error}", fg="red", err=True)
    if not single:
        path = write_index(out / INDEX, scored, scorer, pages=pages, failures=failures)
        click.echo(f"All of them: {path}")


def _write_table(
    scored: list["ScoringResult"], scorer: "Scorer", failures: dict[str, str], options: dict[str, Any]
) -> None:
    """The page over all: features have no pictures, so none has a page of its own."""
    from heads.scoring.index_page_content import INDEX, write_index

    out = options["html"]
    path = out if out.suffix.lower() in (".html", ".htm") and not out.is_dir() else out / INDEX
    click.echo(f"Page: {write_index(path, scored, scorer, pages={}, failures=failures)}")
