"""`aqa store import`: features that others pass around as .npy files, taken into a store."""

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
    from aqa_pipeline.imports import FeatureFiles, Imported
    from aqa_pipeline.records import Dataset
    from aqa_pipeline.store import Store

NAMES_SHOWN = 10
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
@click.option("--npy", type=NPY_FOLDER, help="Any folder of <id>.npy, (time, dim); needs --stream.")
@click.option(
    "--dict-npy", type=EXISTING, multiple=True, help="File of a dict {id: array}; several are one stream."
)
@click.option("--stream", metavar="NAME", help="Name for --npy or --dict-npy, such as segments.")
@click.option("--backbone", metavar="NAME", help="Which network made them, for --npy and --dict-npy.")
@click.option("--step-seconds", type=float, help="Seconds that one row covers, for these.  [default: 1]")
@click.pass_context
def store_import(
    ctx: click.Context, path: Path, dataset: str, root: Path | None, called: str | None, **options: Any
) -> None:
    """Takes features that circulate as .npy files into the store at PATH; nothing in them is run as code.

    Ids are the dataset's; only its label files are needed under --root. What is not sound is named with
    its reason, the rest is imported, and the exit code is 3. Times are nominal: the files tell none.
    """
    from aqa_pipeline.datasets import load_dataset
    from aqa_pipeline.store import Origin, Store, write_origin

    sources = [*_action_net_sources(options), *_named_sources(options)]
    if not sources:
        raise click.UsageError("Nothing to import: name --npy-dynamic, --npy-static, --npy or --dict-npy.")
    known = load_dataset(dataset, default_root(dataset, root), called=called)
    target = Store(path)
    reports = [_import(known, target, source) for source in sources]
    write_origin(target.root, Origin(known.adapter, known.name, known.root))
    ctx.exit(0 if all(report.complete for report in reports) else SOME_FAILED)


def _action_net_sources(options: Mapping[str, Any]) -> Iterator["FeatureFiles"]:
    from aqa_pipeline.imports import dynamic_features, static_features

    if options["npy_dynamic"]:
        yield dynamic_features(options["npy_dynamic"])
    if options["npy_static"]:
        yield static_features(options["npy_static"])


def _named_sources(options: Mapping[str, Any]) -> Iterator["FeatureFiles"]:
    from aqa_pipeline.imports import FeatureFiles

    if not options["npy"] and not options["dict_npy"]:
        useless = [name for name in ("stream", "backbone", "step_seconds") if options[name] is not None]
        if useless:
            raise click.UsageError(f"--{useless[0].replace('_', '-')} goes with --npy or --dict-npy only.")
        return
    if bool(options["npy"]) == bool(options["dict_npy"]) or not options["stream"]:
        raise click.UsageError("--stream NAME goes with one of --npy and --dict-npy, and either needs it.")
    yield FeatureFiles(
        stream=options["stream"],
        layout="npy" if options["npy"] else "dict-npy",
        paths=options["dict_npy"] or (options["npy"],),
        backbone=options["backbone"] or "unknown",
        step_seconds=1.0 if options["step_seconds"] is None else options["step_seconds"],
    )


def _import(dataset: "Dataset", target: "Store", source: "FeatureFiles") -> "Imported":
    """One stream taken in, and told."""
    from aqa_pipeline.datasets.file_names import told_respelled
    from aqa_pipeline.imports import import_features

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
