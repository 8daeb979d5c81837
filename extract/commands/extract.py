"""`aqa extract`: videos -> features."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aqa_pipeline.commands.defaults import find_dataset
from aqa_pipeline.commands.next_step import tell_next
from aqa_pipeline.commands.options import (
    EXISTING,
    FOLDER,
    SOME_FAILED,
    check_engine_options,
    engine_options,
    example,
    name_option,
    network_options,
    plugin_option,
    reader_option,
    store_option,
    tell_on_stderr,
    warn_of_random_weights,
)
from aqa_pipeline.commands.outputs import OUTPUT_FOLDER, check_output
from extract.commands.parse_options import (
    check_pixels_tracked,
    check_streams_read,
    parse_extract_options,
)
from extract.commands.pixel_options import pixel_options
from extract.commands.preview import check_preview_options, draw_preview
from extract.commands.tube_options import tube_options
from extract.commands.view_options import view_options

if TYPE_CHECKING:
    from aqa_pipeline.records import Dataset, StreamSpec, Video
    from aqa_pipeline.store import Store
    from extract.choices.options import EngineOptions, ExtractOptions
    from extract.run.engine import Engine, Order


@click.command(epilog=example("aqa extract --dataset mit-skating --root data/mit-skating"))
@click.option(
    "--dataset",
    metavar="NAME",
    help="A name from `aqa datasets list`, or the name of your own folder in the store.",
)
@click.option(
    "--root",
    type=FOLDER,
    help="Folder of the dataset.  [default: the folder it was extracted from, else data/NAME]",
)
@name_option
@store_option
@click.option(
    "--for", "head", metavar="HEAD", help="Extract the streams that this head reads.  [default: action-net]"
)
@click.option(
    "--streams",
    metavar="A,B",
    help="Extract these streams: segments, crops, frames, clips, tubes, poses, pixels.",
)
@click.option(
    "--preset",
    type=click.Choice(["paper", "light"]),
    default="paper",
    show_default=True,
    help="Networks and detector where no other option names them. paper: those of the papers, whose weights "
    "are large. light: small networks that run on any CPU; the weights are installed already, but for the "
    "detector's.",
)
@click.option(
    "--variant",
    type=click.Choice(["paper", "released"]),
    default="paper",
    show_default=True,
    help="Resize frames as the paper says, or as the authors' code does.",
)
@click.option(
    "--backbone",
    multiple=True,
    metavar="[STREAM=]NAME",
    help="Network of the stream, or of all streams that it fits.  "
    "NAME-motion is the mean, deviation and change of the image network NAME over 8 frames of a segment.  "
    "[default: i3d, resnet50; for clips r2plus1d_34_ig65m_32, for tubes i3d-tsa-net; with --preset light "
    "lite0-motion, lite0]",
)
@view_options
@click.option(
    "--detector",
    metavar="KIND[:MODEL]",
    help="Detector of the athlete: yolo, torchvision, blazepose or annotations (boxes that came with the "
    "data), with a model name or path, such as yolo:yolo11n.  [default: yolo; with --preset light blazepose]",
)
@tube_options
@pixel_options
@network_options()
@click.option("--precision", type=click.Choice(["fp32", "bf16", "fp16"]), default="fp32", show_default=True)
@click.option(
    "--dtype",
    type=click.Choice(["float32", "float16"]),
    help="Type of the stored numbers, except pixels.  [default: float32; for tubes float16]",
)
@reader_option
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="Number of videos to decode at once, each in its own process.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=1),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="Give up a video if its decoder makes no progress for so long.",
)
@click.option(
    "--time-limit",
    type=click.FloatRange(min=1),
    metavar="SECONDS",
    help="Give up a video if decoding it takes longer.  [default: no limit]",
)
@engine_options(by_default="one per GPU, else one per --workers CPUs")
@click.option("--limit", type=click.IntRange(1), help="Extract only so many videos, the first ones.")
@click.option("--videos", metavar="ID,ID", help="Extract only these videos.")
@click.option("--overwrite", is_flag=True, help="Make existing records again.")
@click.option(
    "--contact-sheet", type=OUTPUT_FOLDER, metavar="DIR", help="Draw the crops of every video into DIR."
)
@click.option(
    "--preview",
    type=EXISTING,
    metavar="VIDEO",
    help="Extract nothing; draw what the networks would see of this video, on a sheet in the folder "
    "--contact-sheet (default: here). Needs no dataset and no weights of the networks. Crops need the "
    "detector's weights, tubes also the tracker's.",
)
@click.option("--boxes", type=EXISTING, help="CSV of the person's boxes, for --preview.")
@click.option(
    "--fps",
    type=click.FloatRange(0, min_open=True),
    help="Frame rate of a folder of pictures, for --preview.",
)
@plugin_option
@click.pass_context
def extract(
    ctx: click.Context,
    *,
    dataset: str | None,
    root: Path | None,
    called: str | None,
    store: Path,
    preview: Path | None,
    boxes: Path | None,
    fps: float | None,
    **values: Any,
) -> None:
    """Turn the videos of a dataset into features. The same command resumes a stopped extraction.

    If a video fails, the report says why, the other videos are stored, and the exit code is 3.
    """
    from aqa_pipeline.records import Video
    from aqa_pipeline.store import Store
    from aqa_pipeline.video import check_reader

    if not dataset and not preview:
        raise click.UsageError("Name a --dataset, or a video to --preview.")
    check_preview_options(ctx)
    options = parse_extract_options(values, inputs_of=ctx.obj)
    check_streams_read(options.stream_options, options.streams)
    check_pixels_tracked(options.stream_options, options.streams)
    if options.engine.name == "local":
        check_reader(options.decoding.reader)
    if preview:
        return draw_preview(Video(preview.stem, preview, boxes=boxes, fps=fps), options)
    assert dataset is not None
    _check_options(options)
    into = Store(store)
    found = find_dataset(into, name=dataset, root=root, called=called)
    if root is None:
        click.echo(f"Extracting {found.name} ({found.root}) into {store}.", err=True)
    _extract_dataset(ctx, found, into, options)


def _check_options(options: "ExtractOptions") -> None:
    if options.contact_sheet and not {"crops", "poses"} & set(options.streams):
        raise click.UsageError(
            "--contact-sheet shows the athlete: add `crops` or `poses` to --streams, which are "
            f"{', '.join(options.streams)}."
        )
    engine = options.engine
    check_engine_options(engine=engine.name, ray_address=engine.address, actors=engine.actors)


def _extract_dataset(
    ctx: click.Context, dataset: "Dataset", store: "Store", options: "ExtractOptions"
) -> None:
    """Extract the chosen videos, print the report, and end the command with its exit code."""
    from extract.commands.next_step import next_words
    from extract.preview.contact_sheet import contact_sheets
    from extract.run.engine import Order, extract_videos
    from extract.run.report import format_extract_report, two_roots

    if not store.root.is_file():  # a packed store is refused with another reason
        check_output(store.root, folder=True)
    videos = options.videos.of(dataset)
    before, order = store.origin(dataset.name), Order.of(options, dataset, store)
    with _open_engine(order, options.engine, num_videos=len(videos)) as engine:
        warn_of_random_weights(engine.specs)
        report = extract_videos(engine, order, dataset, videos, show=True)
    click.echo(format_extract_report(report))
    now = store.origin(dataset.name)
    if report.changed and before is not None and now is not None and before != now:
        click.echo(two_roots(before, now))
    for line in _notes(dataset, store, engine.specs, videos, options):
        click.echo(line)
    if options.contact_sheet:
        for line in contact_sheets(order.extraction, engine.specs, videos, options.contact_sheet):
            click.echo(line)
    tell_next(*next_words(ctx, dataset, store, engine.specs, streams_of=ctx.obj))
    ctx.exit(SOME_FAILED if report.failures or dataset.problems else 0)


def _open_engine(
    order: "Order", options: "EngineOptions", *, num_videos: int
) -> AbstractContextManager["Engine"]:
    from extract.run.local import local_engine
    from extract.run.on_ray import ray_engine

    if options.name == "local":
        return local_engine(order)
    return ray_engine(
        order, address=options.address, actors=options.actors, num_videos=num_videos, tell=tell_on_stderr
    )


def _notes(
    dataset: "Dataset",
    store: "Store",
    specs: Sequence["StreamSpec"],
    videos: Sequence["Video"],
    options: "ExtractOptions",
) -> Iterator[str]:
    """Yield what a person should know of the dataset and its videos."""
    from aqa_pipeline.datasets.checking.picture_gaps import gap_notes
    from aqa_pipeline.video.clip_seconds import clip_notes
    from extract.trackers.quad_files import quads_notes

    yield from (f"label left out: {problem}" for problem in dataset.problems)
    yield from dataset.notes
    yield from gap_notes(videos)
    if {"tubes", "pixels"} & set(options.streams):
        yield from quads_notes(options.stream_options.athlete.tracker, videos)
    yield from clip_notes(store, dataset.name, specs, [video.video_id for video in videos])
