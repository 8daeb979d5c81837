"""The options of `aqa score`. Importing this module imports nothing heavy."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from aqa_pipeline.commands.options import EXISTING, FOLDER, together
from aqa_pipeline.commands.outputs import OUTPUT_FILE, check_output

CACHE = "scored-features"
NOT_AGAINST = ("json_path", "csv_path")  # they list scores, not differences
WITH_FEATURES = ("features", "step_seconds", "run", "split", "html", "json_path", "csv_path", "difficulty")
OF_ONE_VIDEO = ("boxes", "init_box", "difficulty")  # options whose value belongs to one video

score_options = together(
    click.option(
        "--features",
        type=EXISTING,
        metavar="FILE|FOLDER",
        help="Score features instead of videos, extracted like the run's: a .npy, .npz, .csv or .txt file of "
        "one video (in an .npz, one array per stream, with the stream's name), or a folder of such files, "
        "with one folder per stream if there are several.",
    ),
    click.option(
        "--step-seconds",
        multiple=True,
        metavar="[STREAM=]SECONDS",
        help="Duration of a row of --features.  [default: the run's]",
    ),
    click.option("--run", type=EXISTING, help="A run made by `aqa fit`.  [default: the only one in runs]"),
    click.option(
        "--split",
        help="Score with this split's networks, or with `all`.  [default: all splits of the same videos]",
    ),
    click.option(
        "--html",
        type=click.Path(path_type=Path),
        metavar="OUT",
        help="Write the page with video, timeline and moments: a file, or a folder for several videos.",
    ),
    click.option(
        "--embed/--link",
        default=None,
        help="Put the video into the page, or link it where it lies.  [default: embed into a single page, "
        "which can be sent; link from pages in a folder]",
    ),
    click.option("--json", "json_path", type=OUTPUT_FILE, metavar="OUT", help="Write everything as JSON."),
    click.option("--csv", "csv_path", type=OUTPUT_FILE, metavar="OUT", help="Write one row per video."),
    click.option("--cache", type=FOLDER, help=f"Store of the features made here.  [default: RUN/{CACHE}]"),
    click.option(
        "--boxes",
        type=EXISTING,
        help="CSV of the person's boxes, for --detector annotations or --start pointed.",
    ),
    click.option(
        "--difficulty",
        type=click.FloatRange(0, min_open=True),
        help="The video's difficulty, for a run that predicts execution (aqa fit --difficulty, tsa-musdl).",
    ),
    click.option(
        "--against",
        metavar="last|best|VIDEO",
        help="Show the video beside another attempt: the last one or the best one of the same athlete and "
        "element in the run's table of scores, any video, or a performance by its name in the table.",
    ),
    click.option("--fps", type=click.FloatRange(0, min_open=True), help="Frame rate of folders of pictures."),
)


def check_score_options(ctx: click.Context, options: dict[str, Any], videos: Sequence[Path]) -> None:
    """Raise `UsageError` for options that contradict each other, or that need another one."""
    if options["features"]:
        _check_options_of_features(ctx, videos)
    elif options["step_seconds"]:
        raise click.UsageError("--step-seconds is for --features; a video states its own times.")
    elif not videos:
        raise click.UsageError("Name a VIDEO, several, or features with --features.")
    if options["embed"] is not None and not options["html"]:
        raise click.UsageError("--embed and --link change the page: name one with --html.")
    given = [f"--{name.replace('_', '-')}" for name in OF_ONE_VIDEO if ctx.params.get(name)]
    if given and len(videos) > 1:
        raise click.UsageError(f"{', '.join(given)}: for one video; score these {len(videos)} one by one.")
    if options["against"]:
        _check_against(options, videos)
    if page := options["html"]:
        check_output(page, folder=len(videos) > 1 or page.is_dir())
    if options["fps"] and not any(path.is_dir() for path in videos):
        raise click.UsageError("--fps is for folders of pictures; video files state their own rate.")


def embeds(options: dict[str, Any], *, single: bool) -> bool:
    """Return whether pages carry their videos: as asked, else only a `single` page that is no folder's."""
    chosen: bool | None = options["embed"]
    return single and not options["html"].is_dir() if chosen is None else chosen


def _check_against(options: dict[str, Any], videos: Sequence[Path]) -> None:
    if len(videos) > 1:
        raise click.UsageError(f"--against: for one video; compare these {len(videos)} one by one.")
    if any(options[name] for name in NOT_AGAINST):
        raise click.UsageError("--json and --csv hold scores, not differences: leave out --against.")


def _check_options_of_features(ctx: click.Context, videos: Sequence[Path]) -> None:
    if videos:
        raise click.UsageError(f"Score videos or --features, not both: {videos[0]} was named too.")
    useless = [
        f"--{name.replace('_', '-')}"
        for name in ctx.params
        if name not in WITH_FEATURES and ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    if useless:
        raise click.UsageError(f"{', '.join(useless)}: for videos, not for --features.")
