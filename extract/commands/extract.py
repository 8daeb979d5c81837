"""`aqa extract`: videos -> features."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from aqa_pipeline.commands.defaults import find_dataset
from aqa_pipeline.commands.next_step import tell_next
from aqa_pipeline.commands.options import (
    ENGINE_OPTIONS,
    EXISTING,
    FOLDER,
    SOME_FAILED,
    check_engine_options,
    engine_options,
    example,
    name_option,
    network_options,
    pick_device,
    plugin_option,
    reader_option,
    store_option,
    tell_on_stderr,
    warn_of_random_weights,
)
from aqa_pipeline.commands.outputs import OUTPUT_FOLDER, check_output
from extract.commands.tube_options import (
    athlete_rule_of,
    check_tube_options,
    folder_of_quads,
    tube_choices_of,
    tube_options,
)
from extract.commands.view_options import check_view_options, rest_of, view_options
from extract.run.progress import extraction_progress

if TYPE_CHECKING:
    from aqa_pipeline.records import Dataset, Video
    from aqa_pipeline.store import Store
    from extract.choices.streams import Choices
    from extract.run.engine import Engine, Order

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

# What a head reads. The front door tells: this room never imports the heads.
StreamsOf = Callable[[str], Sequence[str]]


@click.command(epilog=example("aqa extract --dataset mit-skating --root data/mit-skating"))
@click.option(
    "--dataset",
    metavar="NAME",
    help="A name from `aqa datasets list`, or of a folder of yours in the store.",
)
@click.option(
    "--root",
    type=FOLDER,
    help="Folder of the dataset.  [default: where the store has it from, else data/NAME]",
)
@name_option
@store_option
@click.option("--for", "head", metavar="HEAD", help="Extract what this head reads.  [default: action-net]")
@click.option(
    "--streams", metavar="A,B", help="Extract these streams: segments, crops, frames, clips, tubes."
)
@click.option(
    "--variant",
    type=click.Choice(["paper", "released"]),
    default="paper",
    show_default=True,
    help="Resizing as the paper says, or as the authors' code does.",
)
@click.option(
    "--backbone",
    multiple=True,
    metavar="[STREAM=]NAME",
    help="Network.  [default: i3d, resnet50; for clips r2plus1d_34_ig65m_32, for tubes i3d-tsa-net]",
)
@view_options
@click.option(
    "--detector",
    default="yolo",
    show_default=True,
    metavar="KIND[:MODEL]",
    help="Who finds the athlete: yolo, torchvision or annotations (boxes that came with the data), "
    "with a model name or path, such as yolo:yolo11n.",
)
@tube_options
@network_options()
@click.option("--precision", type=click.Choice(["fp32", "bf16", "fp16"]), default="fp32", show_default=True)
@click.option(
    "--dtype",
    type=click.Choice(["float32", "float16"]),
    help="How features are stored.  [default: float32; for tubes float16]",
)
@reader_option
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="Videos decoded at once, each in a process of its own.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=1),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="Give a video up when its decoder has read and decoded nothing for so long.",
)
@click.option(
    "--time-limit",
    type=click.FloatRange(min=1),
    metavar="SECONDS",
    help="Give a video up when decoding it takes longer than this.  [default: no limit]",
)
@engine_options(by_default="one per GPU, else one per --workers CPUs")
@click.option("--limit", type=click.IntRange(1), help="Only the first videos.")
@click.option("--videos", metavar="ID,ID", help="Only these videos.")
@click.option("--overwrite", is_flag=True, help="Make records again that are there already.")
@click.option(
    "--contact-sheet", type=OUTPUT_FOLDER, metavar="DIR", help="Draw the crops of every video into DIR."
)
@click.option(
    "--preview",
    type=EXISTING,
    metavar="VIDEO",
    help="Only draw what the networks would see of this one video, on a sheet in the folder --contact-sheet "
    "(default: here). Needs no weights of the networks and no dataset; crops and tubes need a detector's "
    "and a tracker's.",
)
@click.option("--boxes", type=EXISTING, help="CSV of the person's boxes, for --preview.")
@click.option(
    "--fps",
    type=click.FloatRange(0, min_open=True),
    help="How fast a folder of pictures is shown, for --preview.",
)
@plugin_option
@click.pass_context
def extract(ctx: click.Context, dataset: str | None, root: Path | None, store: Path, **options: Any) -> None:
    """Turn the videos of a dataset into features. A stopped extraction goes on where it stopped.

    A video that fails is listed with its reason. The other videos are stored. The exit code is 3 then.
    """
    from aqa_pipeline.datasets.checking.picture_gaps import gap_notes
    from aqa_pipeline.store import Store, write_origin
    from aqa_pipeline.video import check_reader
    from aqa_pipeline.video.clip_seconds import clip_notes
    from extract.choices.named_files import origin_of
    from extract.commands.next_step import next_words
    from extract.preview.contact_sheet import contact_sheets
    from extract.run.report import format_extract_report, two_roots
    from extract.trackers.quad_files import quads_notes

    if options["engine"] == "local":
        check_reader(options["reader"])
    if options["preview"]:
        return _draw_preview(ctx, options)
    if not dataset:
        raise click.UsageError("Name a --dataset, or a video to --preview.")
    _check_options(ctx, options)
    into = Store(store)
    found = find_dataset(into, name=dataset, root=root, called=options["called"])
    if root is None:
        click.echo(f"Extracting {found.name} ({found.root}) into {store}.", err=True)
    names = _stream_names(options, ctx.obj)
    _check_streams(options, names)
    if not store.is_file():  # a packed store is refused with another reason
        check_output(store, folder=True)
    videos = _chosen_videos(found, options["videos"], options["limit"])
    before, order = into.origin(found.name), _order(names, found, into, options)
    with _open_engine(order, options, num_videos=len(videos)) as engine:
        warn_of_random_weights(engine.specs)
        origin = origin_of(found, engine.specs, order.choices)
        write_origin(into.root, origin)
        with extraction_progress(len(videos)) as progress:
            report = engine.extract(videos, progress=progress)
    click.echo(format_extract_report(report))
    if report.changed and before is not None and before != origin:
        click.echo(two_roots(before, origin))
    notes = (
        *found.notes,
        *gap_notes(videos),
        *(quads_notes(options["tracker"], videos) if "tubes" in names else ()),
        *clip_notes(into, found.name, engine.specs, [video.video_id for video in videos]),
    )
    for line in (*(f"label left out: {problem}" for problem in found.problems), *notes):
        click.echo(line)
    if options["contact_sheet"]:
        for line in contact_sheets(order.extraction, engine.specs, videos, options["contact_sheet"]):
            click.echo(line)
    tell_next(*next_words(ctx, found, into, engine.specs, streams_of=ctx.obj))
    ctx.exit(SOME_FAILED if report.failures or found.problems else 0)


def _check_options(ctx: click.Context, options: dict[str, Any]) -> None:
    given = [name for name in FOR_PREVIEW if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    if useless := [f"--{name}" for name in given]:  # the environment may hold them for previews
        raise click.UsageError(
            f"{', '.join(useless)}: for --preview; the videos of a dataset have it in their table."
        )
    check_engine_options(options)


def _order(names: Sequence[str], dataset: "Dataset", store: "Store", options: dict[str, Any]) -> "Order":
    from extract.decoding.feeds import Patience
    from extract.run.engine import Order
    from extract.run.extraction import Extraction

    extraction = Extraction(
        dataset=dataset.name,
        store=store,
        streams=(),
        reader=options["reader"],
        workers=options["workers"],
        overwrite=options["overwrite"],
        patience=Patience(silence=options["timeout"], total=options["time_limit"]),
        quads=folder_of_quads(options["tracker"]),
    )
    return Order(names, _choices_for_engine(options, dataset.adapter), extraction, dataset.root)


def _choices_for_engine(options: dict[str, Any], dataset: str) -> "Choices":
    from dataclasses import replace

    if options["engine"] == "local":
        return choices_of(options, dataset=dataset)
    # Which device there is, the cluster's nodes know, not this machine.
    return replace(choices_of(options | {"device": "cpu"}, dataset=dataset), device=options["device"])


def _open_engine(
    order: "Order", options: dict[str, Any], *, num_videos: int
) -> AbstractContextManager["Engine"]:
    from extract.run.local import local_engine
    from extract.run.on_ray import ray_engine

    if options["engine"] == "local":
        return local_engine(order)
    address, actors = options["ray_address"], options["actors"]
    return ray_engine(order, address=address, actors=actors, num_videos=num_videos, tell=tell_on_stderr)


def _draw_preview(ctx: click.Context, options: dict[str, Any]) -> None:
    from aqa_pipeline.records import Video
    from extract.choices.streams import build_streams
    from extract.preview.frames import write_preview

    given = [
        name for name in NOT_FOR_PREVIEW if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError(f"--preview shows one video: leave out {', '.join('--' + g for g in given)}.")
    path: Path = options["preview"]
    _check_preview(path, options["fps"])
    names = _stream_names(options, ctx.obj)
    _check_streams(options, names)
    streams = build_streams(names, choices_of(options), with_networks=False)
    video = Video(path.stem, path, boxes=options["boxes"], fps=options["fps"])
    sheet, lines = write_preview(video, streams, options["contact_sheet"] or Path(), reader=options["reader"])
    click.echo("\n".join([*lines, f"preview: {sheet}"]))


def _check_preview(path: Path, fps: float | None) -> None:
    from aqa_pipeline.datasets.reading.disk import is_frame_folder, is_video_file

    if fps is not None and not path.is_dir():
        raise click.UsageError("--fps is for folders of pictures; a video file knows its own rate.")
    if path.is_dir() and not is_frame_folder(path):
        files = sorted(filter(is_video_file, path.iterdir()))
        such = f", such as {files[0]}" if files else " file, or a folder of numbered pictures"
        raise click.UsageError(f"--preview shows one video, {path} is a folder: name a video{such}.")


def _stream_names(options: dict[str, Any], streams_of: StreamsOf) -> list[str]:
    if options["streams"] and options["head"]:
        raise click.UsageError("--for and --streams exclude each other.")
    if options["streams"]:
        return [name.strip() for name in options["streams"].split(",")]
    return list(streams_of(options["head"] or "action-net"))


def _check_streams(options: dict[str, Any], names: Sequence[str]) -> None:
    """Raise `UsageError` for an option that no chosen stream reads."""
    check_view_options(options, names)
    if options["contact_sheet"] and not options["preview"] and "crops" not in names:
        raise click.UsageError(
            f"--contact-sheet shows person crops: add `crops` to --streams, which are {', '.join(names)}."
        )
    check_tube_options(options, names)


def choices_of(options: dict[str, Any], *, dataset: str | None = None) -> "Choices":
    """Return what the shared network options choose; options left open are as usual for the dataset."""
    from extract.choices.streams import Choices, parse_by_stream
    from extract.streams import ClipSampling

    return Choices(
        variant=options.get("variant", "paper"),
        backbones=parse_by_stream(options.get("backbone", ()), what="--backbone"),
        weights=parse_by_stream(options["weights"], what="--weights"),
        detector=options["detector"],
        device=pick_device(options["device"]),
        precision=options.get("precision", "fp32"),
        runtime=options["runtime"],
        batch_size=options["batch_size"],
        dtype=options.get("dtype"),
        clips=ClipSampling(
            options.get("span") or "last-96", "reference" if options.get("views") == "reference" else "all"
        ),
        tubes=tube_choices_of(options, dataset=dataset),
        athlete=athlete_rule_of(options, dataset=dataset),
        rest=rest_of(options, dataset=dataset),
        framing=options.get("framing", "center"),
    )


def _chosen_videos(dataset: "Dataset", ids: str | None, limit: int | None) -> list["Video"]:
    videos = [dataset.video(video_id.strip()) for video_id in ids.split(",")] if ids else list(dataset.videos)
    return videos[:limit]
