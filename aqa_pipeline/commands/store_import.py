"""`aqa store import`: features that others pass around in files, taken into a store."""

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

if TYPE_CHECKING:
    from aqa_pipeline.importing.import_features import FeatureFiles, Imported
    from aqa_pipeline.importing.step_lengths import StepLengths
    from aqa_pipeline.records import Dataset
    from aqa_pipeline.store import Store

NAMES_SHOWN = 10
OF_FEATURES = ("stream", "backbone", "step_seconds", "frames_per_step", "fps", "steps")
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
    help="Any folder of <id>.npy, .npz or .csv, (time, dim); or a file of many videos: .npz or a saved dict "
    "{id: array}, or a .csv with a column video. Several files are one stream.",
)
@click.option("--stream", metavar="NAME", help="What --features are called, such as segments.")
@click.option("--backbone", metavar="NAME", help="Which network made --features.")
@click.option("--step-seconds", type=float, help="Seconds that one row of --features covers.  [default: 1]")
@click.option("--frames-per-step", type=float, help="Frames that one row covers instead, with --fps.")
@click.option("--fps", type=float, help="Frames a second, for frames per step.")
@click.option(
    "--steps",
    type=EXISTING,
    metavar="CSV",
    help="How long rows are per video: columns video and step_seconds, or frames_per_step and fps.",
)
@click.pass_context
def store_import(
    ctx: click.Context, path: Path, dataset: str, root: Path | None, called: str | None, **options: Any
) -> None:
    """Takes features that circulate as files into the store at PATH; nothing in them is run as code.

    Ids are the dataset's; only its label files are needed under --root. What is not sound is named with
    its reason, the rest is imported, and the exit code is 3. Times are nominal: the files tell none.
    """
    from aqa_pipeline.datasets import load_dataset
    from aqa_pipeline.store import Origin, Store, write_origin

    if not any(options[name] for name in ("features", "npy_dynamic", "npy_static", *OF_FEATURES)):
        raise click.UsageError("Nothing to import: name --features, --npy-dynamic or --npy-static.")
    known = load_dataset(dataset, default_root(dataset, root), called=called)
    video_ids = [video.video_id for video in known.videos]
    sources = [*_action_net_sources(options), *_named_sources(options, video_ids)]
    target = Store(path)
    reports = [_import(known, target, source) for source in sources]
    write_origin(target.root, Origin(known.adapter, known.name, known.root))
    ctx.exit(0 if all(report.complete for report in reports) else SOME_FAILED)


def _action_net_sources(options: Mapping[str, Any]) -> Iterator["FeatureFiles"]:
    from aqa_pipeline.importing.import_features import dynamic_features, static_features

    if options["npy_dynamic"]:
        yield dynamic_features(options["npy_dynamic"])
    if options["npy_static"]:
        yield static_features(options["npy_static"])


def _named_sources(options: Mapping[str, Any], video_ids: Sequence[str]) -> Iterator["FeatureFiles"]:
    from aqa_pipeline.importing.import_features import FeatureFiles

    paths: tuple[Path, ...] = options["features"]
    if not paths:
        useless = [name for name in OF_FEATURES if options[name] is not None]
        if useless:
            raise click.UsageError(f"--{useless[0].replace('_', '-')} goes with --features only.")
        return
    if not options["stream"]:
        raise click.UsageError("--features need a name: --stream NAME, such as segments.")
    folders = [path for path in paths if path.is_dir()]
    if folders and len(paths) > 1:
        raise click.UsageError(f"--features: {folders[0]} is a folder; name one folder, or files alone.")
    yield FeatureFiles(
        stream=options["stream"],
        layout="folder" if folders else "files",
        paths=paths,
        backbone=options["backbone"] or "unknown",
        steps=_step_lengths(options, video_ids),
    )


def _step_lengths(options: Mapping[str, Any], video_ids: Sequence[str]) -> "StepLengths":
    """How long rows are, told in one way."""
    from aqa_pipeline.importing.match_names import match_names
    from aqa_pipeline.importing.step_lengths import StepLengths, read_step_lengths

    given = [name for name in ("step_seconds", "frames_per_step", "steps") if options[name] is not None]
    if len(given) > 1:
        raise click.UsageError(
            f"{' and '.join('--' + name.replace('_', '-') for name in given)} say the same: give one of them."
        )
    frames, fps = options["frames_per_step"], options["fps"]
    if (frames is None) != (fps is None) and not options["steps"]:
        raise click.UsageError("--frames-per-step and --fps go together: seconds are one over the other.")
    if frames is not None:
        return StepLengths(frames / fps if fps > 0 else 0.0)
    if options["steps"]:
        named = read_step_lengths(options["steps"], fps=fps)
        matched = match_names(video_ids, named).names
        return StepLengths(by_video={video_id: named[name] for video_id, name in matched.items()})
    return StepLengths() if options["step_seconds"] is None else StepLengths(options["step_seconds"])


def _import(dataset: "Dataset", target: "Store", source: "FeatureFiles") -> "Imported":
    """One stream taken in, and told."""
    from aqa_pipeline.datasets.reading.file_names import told_respelled
    from aqa_pipeline.importing.import_features import import_features

    with progress_bar(None, unit=" files", desc=source.stream) as bar:

        def show(num_done: int, num_to_do: int) -> None:
            bar.total = num_to_do
            bar.update(num_done - bar.n)

        report = import_features(dataset, target, source, progress=show)
    click.echo(
        f"{source.stream}: {report.num_written} videos imported into {target.root}, "
        f"{report.num_resumed} were there already."
    )
    if report.spec:
        click.echo(f"  --spec {source.stream}={report.spec.hash}, {report.spec.facts['dim']} numbers a row")
    if report.respelled:
        click.echo(f"  {told_respelled(report.respelled, what='name')}")
    for failure in report.failures:
        click.secho(f"  {failure.what}: {failure.reason}", fg="red", err=True)
    _tell_names(f"files of no video of {dataset.name}, left out", report.unknown)
    _tell_names(f"videos of {dataset.name} without features", report.missing)
    return report


def _tell_names(what: str, names: Sequence[str]) -> None:
    if names:
        more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
        click.secho(f"  {len(names)} {what}: {', '.join(names[:NAMES_SHOWN])}{more}", fg="yellow", err=True)
