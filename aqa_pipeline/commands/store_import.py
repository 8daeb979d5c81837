"""The command `aqa store import`: copy features from plain files into a store."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aqa_pipeline.commands.options import (
    EXISTING,
    SOME_FAILED,
    dataset_options,
    default_root,
    example,
    progress_bar,
)
from aqa_pipeline.plurals import counted

if TYPE_CHECKING:
    from aqa_pipeline.importing.feature_sources import FeatureFiles
    from aqa_pipeline.importing.import_features import Imported
    from aqa_pipeline.importing.step_lengths import StepLengths
    from aqa_pipeline.records import Dataset
    from aqa_pipeline.store import Store

NAMES_SHOWN = 10
SOURCES = ("features", "released", "npy_dynamic", "npy_static")
OF_FEATURES = ("stream", "backbone", "step_seconds", "frames_per_step", "fps", "steps", "average_views")
NPY_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(
    "import",
    epilog=example(
        "aqa store import --dataset rhythmic-gymnastics --npy-dynamic dynamic_feat --npy-static static_feat"
    ),
)
@click.argument("path", type=click.Path(file_okay=False, path_type=Path), default=Path("features"))
@dataset_options
@click.option("--npy-dynamic", type=NPY_FOLDER, help="ACTION-NET's I3D features: <id>.npy, (time, 1024).")
@click.option("--npy-static", type=NPY_FOLDER, help="ACTION-NET's ResNet-50 crops: <id>.npy, (time, 2048).")
@click.option(
    "--features",
    type=EXISTING,
    multiple=True,
    metavar="FOLDER|FILE",
    help="A folder of <id>.npy, .npz, .csv or .txt, (time, dim); or a file of many videos: .npz or a saved "
    "dict {id: array}, or a .csv with a column video. Several folders or several files make one stream.",
)
@click.option(
    "--released",
    type=NPY_FOLDER,
    help="A folder with features as PAMFN, MCMoE, GDLT or Skating-Mixer released them: one stream per kind.",
)
@click.option(
    "--join",
    metavar="NAME",
    help="Import the streams once more as one of this name, row beside row, for heads that read one stream.",
)
@click.option("--stream", metavar="NAME", help="Stream name of --features, such as segments.")
@click.option("--backbone", metavar="NAME", help="Network that made --features.")
@click.option(
    "--average-views",
    is_flag=True,
    default=None,
    help="Average --features of (time, view, dim) over the views.",
)
@click.option("--step-seconds", type=float, help="Seconds that one row of --features covers.  [default: 1]")
@click.option(
    "--frames-per-step", type=float, help="Frames that one row covers, instead of seconds; needs --fps."
)
@click.option("--fps", type=float, help="Frames per second, for --frames-per-step.")
@click.option(
    "--steps",
    type=EXISTING,
    metavar="CSV",
    help="CSV with the duration of a row per video: columns video and step_seconds, or frames_per_step and "
    "fps.",
)
@click.pass_context
def store_import(
    ctx: click.Context, path: Path, dataset: str, root: Path | None, called: str | None, **options: Any
) -> None:
    """Import features from files into the store at PATH. No code in the files is run.

    File names must be video ids of the dataset. --root needs only its label files, not its videos. Files that
    cannot be imported are listed with the reason, the others are imported, and the exit code is 3. Times are
    nominal, because the files hold none.
    """
    from aqa_pipeline.datasets import load_dataset
    from aqa_pipeline.importing.feature_sources import joined
    from aqa_pipeline.store import Origin, Store, write_origin

    if not any(options[name] for name in (*SOURCES, *OF_FEATURES)):
        raise click.UsageError(
            "Nothing to import: give --features, --released, --npy-dynamic or --npy-static."
        )
    known = load_dataset(dataset, default_root(dataset, root), called=called)
    video_ids = [video.video_id for video in known.videos]
    sources = [
        *_action_net_sources(options),
        *_released_sources(options, known),
        *_named_sources(options, video_ids),
    ]
    if options["join"]:
        sources.append(joined(options["join"], sources))
    target = Store(path)
    reports = [_import(known, target, source) for source in sources]
    write_origin(target.root, Origin(known.adapter, known.name, known.root))
    ctx.exit(0 if all(report.complete for report in reports) else SOME_FAILED)


def _action_net_sources(options: Mapping[str, Any]) -> Iterator["FeatureFiles"]:
    from aqa_pipeline.importing.feature_sources import dynamic_features, static_features

    if options["npy_dynamic"]:
        yield dynamic_features(options["npy_dynamic"])
    if options["npy_static"]:
        yield static_features(options["npy_static"])


def _released_sources(options: Mapping[str, Any], dataset: "Dataset") -> "list[FeatureFiles]":
    from aqa_pipeline.importing.released_features import find_released

    return find_released(dataset.adapter, options["released"]) if options["released"] else []


def _named_sources(options: Mapping[str, Any], video_ids: Sequence[str]) -> Iterator["FeatureFiles"]:
    from aqa_pipeline.importing.feature_sources import FeatureFiles

    paths: tuple[Path, ...] = options["features"]
    if not paths:
        useless = [name for name in OF_FEATURES if options[name] is not None]
        if useless:
            raise click.UsageError(f"--{useless[0].replace('_', '-')} needs --features.")
        return
    if not options["stream"]:
        raise click.UsageError("--features needs --stream NAME, such as segments.")
    folders = [path for path in paths if path.is_dir()]
    if folders and len(folders) < len(paths):
        raise click.UsageError(f"--features: {folders[0]} is a folder; give only folders, or only files.")
    yield FeatureFiles(
        stream=options["stream"],
        layout="folder" if folders else "files",
        paths=paths,
        backbone=options["backbone"] or "unknown",
        steps=_step_lengths(options, video_ids),
        average_views=bool(options["average_views"]),
    )


def _step_lengths(options: Mapping[str, Any], video_ids: Sequence[str]) -> "StepLengths":
    """Return the durations of rows. Raise `click.UsageError` if they are given in several ways."""
    from aqa_pipeline.importing.match_names import match_names
    from aqa_pipeline.importing.step_lengths import StepLengths, read_step_lengths

    given = [name for name in ("step_seconds", "frames_per_step", "steps") if options[name] is not None]
    if len(given) > 1:
        raise click.UsageError(
            f"{' and '.join('--' + name.replace('_', '-') for name in given)} exclude each other: give one."
        )
    frames, fps = options["frames_per_step"], options["fps"]
    if (frames is None) != (fps is None) and not options["steps"]:
        raise click.UsageError("--frames-per-step and --fps need each other: seconds are their ratio.")
    if frames is not None:
        return StepLengths(frames / fps if fps > 0 else 0.0)
    if options["steps"]:
        named = read_step_lengths(options["steps"], fps=fps)
        matched = match_names(video_ids, named).names
        return StepLengths(by_video={video_id: named[name] for video_id, name in matched.items()})
    return StepLengths() if options["step_seconds"] is None else StepLengths(options["step_seconds"])


def _import(dataset: "Dataset", target: "Store", source: "FeatureFiles") -> "Imported":
    """Import one stream, and print the result."""
    from aqa_pipeline.datasets.reading.file_names import respelled_note
    from aqa_pipeline.importing.import_features import import_features
    from aqa_pipeline.spec_facts import typed_facts

    with progress_bar(None, unit=" files", desc=source.stream) as bar:

        def show(num_done: int, num_to_do: int) -> None:
            bar.total = num_to_do
            bar.update(num_done - bar.n)

        report = import_features(dataset, target, source, progress=show)
    click.echo(
        f"{source.stream}: {counted(report.num_written, 'video')} imported into {target.root}, "
        f"{report.num_resumed} existed already."
    )
    if report.spec:
        click.echo(
            f"  --spec {source.stream}={report.spec.hash}, {typed_facts(report.spec).dim} numbers a row"
        )
    if report.respelled:
        click.echo(f"  {respelled_note(report.respelled, what='name')}")
    for failure in report.failures:
        click.secho(f"  {failure.what}: {failure.reason}", fg="red", err=True)
    files = counted(len(report.unknown), "file that belongs", "files that belong")
    _tell_names(f"{files} to no video of {dataset.name}, left out", report.unknown)
    _tell_names(f"{counted(len(report.missing), 'video')} of {dataset.name} without features", report.missing)
    return report


def _tell_names(what: str, names: Sequence[str]) -> None:
    if names:
        more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
        click.secho(f"  {what}: {', '.join(names[:NAMES_SHOWN])}{more}", fg="yellow", err=True)
