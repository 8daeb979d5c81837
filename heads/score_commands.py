"""`aqa score`: a number for new videos, and the page that shows its reasons."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from aqa_pipeline.commands.defaults import only_run
from aqa_pipeline.commands.options import (
    EXISTING,
    FOLDER,
    SOME_FAILED,
    Decorator,
    example,
    network_options,
    plugin_option,
    reader_option,
)
from aqa_pipeline.commands.outputs import OUTPUT_FILE, check_output
from aqa_pipeline.errors import AqaError

if TYPE_CHECKING:
    from aqa_pipeline.records import Record, Video
    from heads.judgement import Judge
    from heads.prediction import TrainedHead
    from heads.score_pages import Scored
    from heads.to_score import ToScore

# Gives the function that makes or finds the records of one video; the front door tells, for it knows stage 1.
OpenCache = Callable[["TrainedHead", dict[str, Any]], Callable[["Video"], Mapping[str, "Record"]]]
CACHE = "scored-features"
WITH_FEATURES = ("features", "step_seconds", "run", "split", "html", "json_path", "csv_path", "difficulty")
OF_ONE_VIDEO = ("boxes", "init_box", "difficulty")  # what is so of one video says nothing of another


def make_score(open_cache: OpenCache, *, extraction_options: Decorator) -> click.Command:
    """The command `aqa score`, which has features extracted by what `open_cache` gives.

    `extraction_options` are options of stage 1 that it takes too, and hands on to `open_cache`.
    """

    @click.command(
        epilog=example("aqa score my-routine.mp4 --run runs/mit-skating-action-net --html my-routine.html")
    )
    @click.argument("videos", nargs=-1, type=click.Path(path_type=Path), metavar="[VIDEO...]")
    @click.option(
        "--features",
        type=EXISTING,
        metavar="FILE|FOLDER",
        help="Score features instead of videos, made like the run's: .npy, .npz or .csv of one video (in an "
        ".npz an array per stream, named so), or a folder of them, with a folder per stream if several.",
    )
    @click.option(
        "--step-seconds",
        multiple=True,
        metavar="[STREAM=]SECONDS",
        help="How long a row of --features lasts.  [default: as in the run]",
    )
    @click.option("--run", type=EXISTING, help="A run made by `aqa fit`.  [default: the only one in runs]")
    @click.option(
        "--split",
        help="Which split's networks; `all` for every one.  [default: all that learned from the same videos]",
    )
    @click.option(
        "--html",
        type=click.Path(path_type=Path),
        metavar="OUT",
        help="Write the page with video, timeline and moments: a file, or a folder for several videos.",
    )
    @click.option("--embed", is_flag=True, help="Put the video into the page instead of a link to it.")
    @click.option("--json", "json_path", type=OUTPUT_FILE, metavar="OUT", help="Write everything as JSON.")
    @click.option("--csv", "csv_path", type=OUTPUT_FILE, metavar="OUT", help="Write one row per video.")
    @click.option("--cache", type=FOLDER, help=f"Store of the features made here.  [default: RUN/{CACHE}]")
    @click.option(
        "--detector", default="", metavar="KIND[:MODEL]", help="Person detector.  [default: the run's]"
    )
    @click.option("--boxes", type=EXISTING, help="CSV of the person's boxes, for --detector annotations.")
    @click.option(
        "--difficulty",
        type=click.FloatRange(0, min_open=True),
        help="How difficult it is, for a run that learned the execution (aqa fit --difficulty, tsa-musdl).",
    )
    @click.option(
        "--fps", type=click.FloatRange(0, min_open=True), help="How fast folders of pictures are shown."
    )
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
        from heads.judgement import make_judge
        from heads.prediction import load_run
        from heads.score_files import write_csv, write_json
        from heads.to_score import videos_in, videos_to_score

        videos = tuple(videos_in(videos))
        _check_options(ctx, options, videos)
        run = only_run(run)
        trained = load_run(run, split=split).of_difficulty(options["difficulty"])
        if options["features"]:
            items = _features_to_score(trained, options)
        else:
            records_of = open_cache(trained, options | {"cache": options["cache"] or run / CACHE})
            items = videos_to_score(videos, records_of, boxes=options["boxes"], fps=options["fps"])
        by = make_judge(trained)
        scored, failures = _score_all(items, by)
        for write, target in ((write_json, options["json_path"]), (write_csv, options["csv_path"])):
            if target:
                write(target, scored, failures, by=by)
                click.echo(f"Written: {target}")
        if options["html"]:
            write_html = _write_table if options["features"] else _write_pages
            write_html(scored, by, failures, options)
        ctx.exit(SOME_FAILED if failures else 0)

    return score


def _check_options(ctx: click.Context, options: dict[str, Any], videos: Sequence[Path]) -> None:
    if options["features"]:
        _check_options_of_features(ctx, videos)
    elif options["step_seconds"]:
        raise click.UsageError("--step-seconds is for --features; a video tells its own time.")
    elif not videos:
        raise click.UsageError("Name a VIDEO, several, or features with --features.")
    if options["embed"] and not options["html"]:
        raise click.UsageError("--embed says how the page is made: name one with --html.")
    given = [f"--{name.replace('_', '-')}" for name in OF_ONE_VIDEO if options.get(name)]
    if given and len(videos) > 1:
        raise click.UsageError(f"{', '.join(given)}: of one video; score these {len(videos)} one by one.")
    if page := options["html"]:
        check_output(page, folder=len(videos) > 1 or page.is_dir())
    if options["fps"] and not any(path.is_dir() for path in videos):
        raise click.UsageError("--fps is for folders of pictures; video files know their own rate.")


def _check_options_of_features(ctx: click.Context, videos: Sequence[Path]) -> None:
    if videos:
        raise click.UsageError(f"Score videos or --features, not both: {videos[0]} was named too.")
    useless = [
        f"--{name.replace('_', '-')}"
        for name in ctx.params
        if name not in WITH_FEATURES and ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    if useless:
        raise click.UsageError(f"{', '.join(useless)}: of videos, --features need none of it.")


def _features_to_score(trained: "TrainedHead", options: dict[str, Any]) -> list["ToScore"]:
    from heads.given_features import StepSeconds
    from heads.to_score import features_to_score

    items = features_to_score(options["features"], trained, StepSeconds(_seconds(options["step_seconds"])))
    if options["difficulty"] and len(items) > 1:
        raise click.UsageError(f"--difficulty: of one video; score these {len(items)} one by one.")
    learned_from = " and ".join(spec.in_words for spec in trained.specs.values())
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


def _score_all(items: Sequence["ToScore"], by: "Judge") -> tuple[list["Scored"], dict[str, str]]:
    """Score one after the other and print each; return what failed, with the reason, by name."""
    from heads.followed import how_followed
    from heads.judgement import judge
    from heads.score_pages import Scored
    from heads.score_text import format_judgement
    from heads.seen_parts import told_parts, told_windows

    scored, failures = [], {}
    for number, item in enumerate(items, start=1):
        if len(items) > 1:
            click.echo(f"{number} of {len(items)}: {item.name}", err=True)
        try:
            records = item.records()
            one = Scored(item.video, judge(by, item.name, records), records)
            seen = (*how_followed(records), *told_parts(records), *told_windows(records, by.trained))
            click.echo(format_judgement(one.judgement, by, followed=seen))
            click.echo()
            scored.append(one)
        except AqaError as error:
            # errors of reading name the file too
            failures[item.name] = str(error).removeprefix(f"{item.video.path}: ")
            click.secho(f"{item.video.path}: {failures[item.name]}", fg="red", err=True)
    return scored, failures


def _write_pages(
    scored: list["Scored"], by: "Judge", failures: dict[str, str], options: dict[str, Any]
) -> None:
    """One page per video, and one over several; a page that cannot be made is a failure like any other."""
    from heads.score_index import INDEX, write_index
    from heads.score_pages import page_paths, write_page_of

    out, embed = options["html"], options["embed"]
    single = len(scored) + len(failures) == 1
    back = None if single else (out / INDEX, "all scored videos")
    pages: dict[int, Path] = {}
    for number, path in enumerate(page_paths(out, scored, single=single)):
        one = scored[number]
        try:
            pages[number] = write_page_of(one, by, path, embed=embed, back=back)
            click.echo(f"Page: {pages[number]}")
        except AqaError as error:
            failures[one.judgement.name] = f"no page: {error}"
            click.secho(f"{one.video.path}: no page: {error}", fg="red", err=True)
    if not single:
        path = write_index(out / INDEX, scored, by, pages=pages, failures=failures)
        click.echo(f"All of them: {path}")


def _write_table(
    scored: list["Scored"], by: "Judge", failures: dict[str, str], options: dict[str, Any]
) -> None:
    """The page over all: features have no pictures, so none has a page of its own."""
    from heads.score_index import INDEX, write_index

    out = options["html"]
    path = out if out.suffix.lower() in (".html", ".htm") and not out.is_dir() else out / INDEX
    click.echo(f"Page: {write_index(path, scored, by, pages={}, failures=failures)}")
