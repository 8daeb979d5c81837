"""`aqa score`: the score of new videos, and the page that shows its reasons."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

from aqa_pipeline.commands.defaults import only_run
from aqa_pipeline.commands.options import (
    SOME_FAILED,
    Decorator,
    example,
    plugin_option,
)
from aqa_pipeline.errors import AqaError
from heads.commands.attempts.against import score_against
from heads.commands.score_options import CACHE, check_score_options, embeds, score_options

if TYPE_CHECKING:
    from heads.scoring.ensemble import Ensemble
    from heads.scoring.inputs import ScoreInput
    from heads.scoring.result import ScoringResult
    from heads.scoring.run import ExtractRecords, Run
    from heads.scoring.scorer import Scorer


class OpenExtractor(Protocol):
    """From a run's networks to the function that makes the records of a new video.

    `options` are what `extraction_options` of `make_score` add; only stage 1 reads them.
    """

    def __call__(
        self, ensemble: "Ensemble", options: Any, *, cache: Path, boxes: Path | None
    ) -> "ExtractRecords":
        """Return the function. Raise `UsageError` for options that the run's streams do not read."""
        ...


def make_score(open_extractor: OpenExtractor, *, extraction_options: Decorator) -> click.Command:
    """Return the command `aqa score`; `open_extractor` stands for stage 1, which this package never imports.

    `extraction_options` adds the options of stage 1. The command gets them as one argument, `extraction`,
    and hands it on to `open_extractor`.
    """

    @click.command(
        epilog=example("aqa score my-routine.mp4 --run runs/mit-skating-action-net --html my-routine.html")
    )
    @click.argument("videos", nargs=-1, type=click.Path(path_type=Path), metavar="[VIDEO...]")
    @score_options
    @extraction_options
    @plugin_option
    @click.pass_context
    def score(
        ctx: click.Context,
        videos: tuple[Path, ...],
        run: Path | None,
        split: str | None,
        extraction: Any,
        **options: Any,
    ) -> None:
        """Score new videos with a trained run, and show which moments the score comes from.

        A VIDEO is a file, a folder of numbered pictures, or a folder of videos. The command prints the
        score ± its interval and its rank among the training scores. A warning says that the video differs
        from the training videos, or that the tracker lost the athlete. Features are extracted with the
        run's settings and stored: a video is extracted once. The run keeps the score, for `aqa diary`. If a
        video fails, the command says why, scores the others, and exits with code 3.
        """
        from heads.attempts.stored_scores import store_score
        from heads.scoring.ensemble import load_ensemble
        from heads.scoring.inputs import find_videos, video_inputs
        from heads.scoring.run import Run
        from heads.scoring.scorer import make_scorer
        from heads.scoring.shown.score_files import write_csv, write_json

        videos = tuple(find_videos(videos))
        check_score_options(ctx, options, videos)
        run_dir = only_run(run)
        ensemble = load_ensemble(run_dir, split=split)
        if not options["against"]:
            ensemble = ensemble.with_difficulty(options["difficulty"])
        if options["features"]:
            items = _feature_inputs(ensemble, options)
        else:
            cache, boxes = options["cache"] or run_dir / CACHE, options["boxes"]
            extract_records = open_extractor(ensemble, extraction, cache=cache, boxes=boxes)
            items = video_inputs(videos, extract_records, boxes=boxes, fps=options["fps"])
        scorer = make_scorer(ensemble)
        if options["against"]:
            score_against(items[0], scorer, extract_records, options | {"split": split})
            return
        results, failures = _score_all(items, Run(scorer))
        if split is None and not options["features"] and options["cache"] is None:
            for result in results:
                store_score(run_dir, result)
        for write, target in ((write_json, options["json_path"]), (write_csv, options["csv_path"])):
            if target:
                write(target, results, failures, scorer=scorer)
                click.echo(f"Written: {target}")
        if options["html"]:
            write_html = _write_index_page if options["features"] else _write_pages
            write_html(results, scorer, failures, options)
        ctx.exit(SOME_FAILED if failures else 0)

    return score


def _feature_inputs(ensemble: "Ensemble", options: dict[str, Any]) -> list["ScoreInput"]:
    from heads.scoring.external_features import StepSeconds
    from heads.scoring.inputs import feature_inputs

    items = feature_inputs(options["features"], ensemble, StepSeconds(_seconds(options["step_seconds"])))
    if options["difficulty"] and len(items) > 1:
        raise click.UsageError(f"--difficulty: for one video; score these {len(items)} one by one.")
    trained_on = " and ".join(spec.in_words for spec in ensemble.specs.values())
    click.echo(
        f"The run was trained on {trained_on}. Files of features do not say how they were made: "
        "make sure that these were made the same way.",
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


def _score_all(items: Sequence["ScoreInput"], run: "Run") -> tuple[list["ScoringResult"], dict[str, str]]:
    """Score the inputs in turn and print each; return the results, and the reasons of failures by name."""
    from heads.scoring.shown.score_text import format_result

    results, failures = [], {}
    for number, item in enumerate(items, start=1):
        if len(items) > 1:
            click.echo(f"{number} of {len(items)}: {item.name}", err=True)
        try:
            result = run.result(item)
            click.echo(format_result(result, run.scorer))
            click.echo()
            results.append(result)
        except AqaError as error:
            # errors of reading name the file too
            failures[item.name] = str(error).removeprefix(f"{item.video.path}: ")
            click.secho(f"{item.video.path}: {failures[item.name]}", fg="red", err=True)
    return results, failures


def _write_pages(
    results: list["ScoringResult"], scorer: "Scorer", failures: dict[str, str], options: dict[str, Any]
) -> None:
    """Write a page per video, and an index page of several; add pages that cannot be made to `failures`."""
    from heads.scoring.shown.index_page_content import INDEX, write_index
    from heads.scoring.shown.page_paths import page_paths
    from heads.scoring.shown.score_page_content import write_page_of

    out, single = options["html"], len(results) + len(failures) == 1
    embed = embeds(options, single=single)
    back = None if single else (out / INDEX, "all scored videos")
    pages: dict[int, Path] = {}
    for number, path in enumerate(page_paths(out, results, single=single)):
        result = results[number]
        try:
            pages[number] = write_page_of(result, scorer, path, embed=embed, back=back)
            click.echo(f"Page: {pages[number]}")
        except AqaError as error:
            failures[result.scored_video.name] = f"no page: {error}"
            click.secho(f"{result.video.path}: no page: {error}", fg="red", err=True)
    if not single:
        path = write_index(out / INDEX, results, scorer, pages=pages, failures=failures)
        click.echo(f"Index page: {path}")


def _write_index_page(
    results: list["ScoringResult"], scorer: "Scorer", failures: dict[str, str], options: dict[str, Any]
) -> None:
    """Write the index page alone: features have no pictures, so they have no pages of their own."""
    from heads.scoring.shown.index_page_content import INDEX, write_index

    out = options["html"]
    path = out if out.suffix.lower() in (".html", ".htm") and not out.is_dir() else out / INDEX
    click.echo(f"Page: {write_index(path, results, scorer, pages={}, failures=failures)}")
