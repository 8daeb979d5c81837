"""`aqa extract --preview`: what the networks would see of one video."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from aqa_pipeline.commands.options import ENGINE_OPTIONS

if TYPE_CHECKING:
    from aqa_pipeline.records import Video
    from extract.choices.options import ExtractOptions

NOT_FOR_PREVIEW = (
    "dataset",
    "root",
    "called",
    "store",
    "weights",
    "limit",
    "videos",
    "overwrite",
    *ENGINE_OPTIONS,
)
FOR_PREVIEW = ("boxes", "fps")


def check_preview_options(ctx: click.Context) -> None:
    """Raise `UsageError` for options of datasets with `--preview`, and for options of previews without it.

    Options that the environment sets are left out: they may be meant for other calls.
    """
    is_preview = ctx.params["preview"] is not None
    useless = NOT_FOR_PREVIEW if is_preview else FOR_PREVIEW
    given = [
        max(parameter.opts, key=len)
        for parameter in ctx.command.params
        if parameter.name in useless
        and ctx.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE
    ]
    if given and is_preview:
        raise click.UsageError(f"--preview shows one video: leave out {', '.join(given)}.")
    if given:
        raise click.UsageError(
            f"{', '.join(given)}: for --preview; the videos of a dataset have it in their table."
        )
    if is_preview:
        _check_video(ctx.params["preview"], ctx.params["fps"])


def _check_video(path: Path, fps: float | None) -> None:
    from aqa_pipeline.datasets.reading.disk import is_frame_folder, is_video_file

    if fps is not None and not path.is_dir():
        raise click.UsageError("--fps is for folders of pictures; a video file knows its own rate.")
    if path.is_dir() and not is_frame_folder(path):
        files = sorted(filter(is_video_file, path.iterdir()))
        such = f", such as {files[0]}" if files else " file, or a folder of numbered pictures"
        raise click.UsageError(f"--preview shows one video, {path} is a folder: name a video{such}.")


def draw_preview(video: "Video", options: "ExtractOptions") -> None:
    """Draw the sheet of a video that belongs to no dataset, and print what it shows."""
    from extract.choices.streams import build_streams
    from extract.choices.usual import OWN, with_usual
    from extract.preview.frames import write_preview

    stream_options = with_usual(options.stream_options, OWN)
    streams = build_streams(options.streams, stream_options, with_networks=False)
    folder = options.contact_sheet or Path()
    sheet, lines = write_preview(video, streams, folder, reader=options.decoding.reader)
    click.echo("\n".join([*lines, f"preview: {sheet}"]))
