"""The command `aqa store`: list, check, repair, pack, unpack and export features.

`commands/store_import.py` holds `aqa store import`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aqa_pipeline.commands.options import (
    FOLDER,
    SOME_FAILED,
    example,
    parse_names,
    plugin_option,
    progress_bar,
    warn_of_random_weights,
)
from aqa_pipeline.commands.outputs import OUTPUT_FILE, OUTPUT_FOLDER, check_output
from aqa_pipeline.commands.simulate import warn_of_simulation
from aqa_pipeline.commands.store_import import store_import
from aqa_pipeline.plurals import counted

if TYPE_CHECKING:
    from aqa_pipeline.records import StreamSpec
    from aqa_pipeline.store import Problem, Store
    from aqa_pipeline.store.repair import Action


@click.group()
def store() -> None:
    """List, check, repair, share and import stored features."""


store_argument = click.argument(
    "path", type=click.Path(exists=True, path_type=Path), default=Path("features")
)


@store.command("ls", epilog=example("aqa store ls features"))
@store_argument
@click.option("--specs", is_flag=True, help="Show the settings with which each stream was made.")
def store_ls(path: Path, specs: bool) -> None:
    """List the streams in the store at PATH: one row per dataset, stream and spec (its settings)."""
    from aqa_pipeline.store import Store
    from aqa_pipeline.text_table import format_table

    found = Store(path).contents()
    rows = [
        (
            row.dataset,
            row.spec.stream,
            row.spec.hash,
            _origin(row.spec),
            row.num_records,
            f"{row.num_bytes / 1e6:.1f}",
        )
        for row in found
    ]
    click.echo(format_table(("dataset", "stream", "spec", "origin", "videos", "MB"), rows))
    for row in found if specs else ():
        facts = "\n".join(f"  {name}: {value}" for name, value in row.spec.facts.items())
        click.echo(f"\n{row.dataset} {row.spec.stream} {row.spec.hash}\n{facts}")
    warn_of_random_weights([row.spec for row in found])
    warn_of_simulation([row.spec for row in found])


def _origin(spec: "StreamSpec") -> str:
    """Return the origin of features in a few words."""
    from aqa_pipeline.spec_facts import typed_facts

    facts = typed_facts(spec)
    if spec.simulated:
        return f"SIMULATED {facts.signal}, effect {facts.effect:g}"
    if spec.imported:
        return f"imported {facts.imported}"
    return "random weights" if spec.random_weights else "extracted"


@store.command("verify", epilog=example("aqa store verify features"))
@store_argument
@click.option(
    "--sources", is_flag=True, help="Compare every record with the video from which it was made instead."
)
@click.option(
    "--root",
    type=FOLDER,
    help="Folder of the videos, for --sources.  [default: the folder of extraction]",
)
@plugin_option
@click.pass_context
def store_verify(ctx: click.Context, path: Path, sources: bool, root: Path | None) -> None:
    """Check every byte of every record of the store at PATH. The exit code is 3 if a file is broken.

    Broken files are `damaged` (not a sound record), `left over` (an interrupted write), `unreadable` (the
    disk cannot read it) or `foreign` (not written by this version). With --sources, the exit code is 3 if a
    video has changed or is missing.
    """
    from aqa_pipeline.store import Store

    if root and not sources:
        raise click.UsageError("--root needs --sources.")
    if sources:
        ctx.exit(SOME_FAILED if _tell_sources(Store(path), root) else 0)
    problems, num_sound = [], 0
    with progress_bar(None, unit=" records") as bar:
        for _, problem in Store(path).verify():
            bar.update()
            if problem:
                problems.append(problem)
            else:
                num_sound += 1
    click.echo(f"{num_sound} of {counted(num_sound + len(problems), 'record is', 'records are')} sound.")
    _tell_problems(problems)
    if problems and path.is_dir():
        click.echo(f"`aqa store repair {path}` moves damaged records out of the store; then extract again.")
    ctx.exit(SOME_FAILED if problems else 0)


def _tell_sources(store: "Store", root: Path | None) -> bool:
    """Print the records whose video has changed or is missing; return whether there are any."""
    from aqa_pipeline.sources.outdated import check_sources

    if root and len(store.datasets()) > 1:
        raise click.UsageError(f"--root is for a store of one dataset, not of {', '.join(store.datasets())}.")
    with progress_bar(None, unit=" records") as bar:
        checked = [each for each in check_sources(store, root=root) if not bar.update()]
    of_videos = [each for each in checked if each.of_a_video]
    differing = [each for each in of_videos if each.problem]
    num_others = len(checked) - len(of_videos)
    match = counted(len(of_videos), "record matches its present video", "records match their present videos")
    click.echo(
        f"{len(of_videos) - len(differing)} of {match}; "
        f"{num_others} {'was' if num_others == 1 else 'were'} imported or simulated."
    )
    for each in differing:
        shown = str(each.path) if str(each.path).isprintable() else repr(str(each.path))
        click.echo(f"  {shown}: {each.problem}")
    return bool(differing)


def _tell_problems(problems: "Sequence[Problem]") -> None:
    for problem in problems:
        path = str(problem.path)
        shown = path if path.isprintable() else repr(path)  # a name may hold control codes of a terminal
        click.echo(f"  {problem.kind}: {shown}: {problem.reason}")


@store.command("repair", epilog=example("aqa store repair features --dry-run"))
@store_argument
@click.option("--keep", type=OUTPUT_FOLDER, help="Folder for the removed files.  [default: PATH/.set-aside]")
@click.option("--delete", is_flag=True, help="Delete the files instead of moving them.")
@click.option("--dry-run", is_flag=True, help="List the files, and change nothing.")
@click.pass_context
def store_repair(ctx: click.Context, path: Path, keep: Path | None, delete: bool, dry_run: bool) -> None:
    """Move damaged records and left-over files out of the store at PATH, and list them.

    Sound records stay. The next `aqa extract` makes the removed records again. Unreadable and foreign files
    are listed and stay where they are; the exit code is then 3. Links are never followed.
    """
    from aqa_pipeline.store import Store, repair

    if keep and delete:
        raise click.UsageError("--keep and --delete exclude each other: give one of them.")
    action: Action = "nothing" if dry_run else "delete" if delete else "set aside"
    with progress_bar(None, unit=" records") as bar:
        done = repair(Store(path), action=action, keep=keep, progress=bar.update)
    done_to = "deleted" if delete else f"moved to {done.set_aside}"
    files = counted(len(done.removed), *(("file", "") if dry_run else ("file was", "files were")))
    outcome = f"{'would be ' if dry_run else ''}{done_to if done.removed else 'taken out'}"
    click.echo(f"{counted(done.num_sound, 'record is', 'records are')} sound; {files} {outcome}.")
    _tell_problems(done.removed)
    if done.left:
        click.secho(
            f"{counted(len(done.left), 'file stays where it is', 'files stay where they are')}:",
            fg="yellow",
            err=True,
        )
        _tell_problems(done.left)
    if not dry_run and any(problem.kind == "damaged" for problem in done.removed):
        click.echo("To make these records again, run the same `aqa extract` as before.")
    ctx.exit(SOME_FAILED if done.left else 0)


@store.command("pack", epilog=example("aqa store pack features --out features.h5"))
@store_argument
@click.option("--out", type=OUTPUT_FILE, help="The .h5 file to write.  [default: PATH.h5]")
@click.option("--datasets", metavar="A,B", help="Only these datasets.  [default: all]")
@click.option("--streams", metavar="A,B", help="Only these streams.  [default: all]")
def store_pack(path: Path, out: Path | None, datasets: str | None, streams: str | None) -> None:
    """Write the store at PATH into one .h5 file for sharing. Commands that read a store accept this file."""
    from aqa_pipeline.store import Store, pack

    out = out or path.with_name(f"{path.resolve().name}.h5")
    check_output(out, folder=False)
    with progress_bar(None, unit=" records") as bar:
        count = pack(
            Store(path),
            out,
            datasets=parse_names(datasets),
            streams=parse_names(streams),
            progress=bar.update,
        )
    click.echo(f"{counted(count, 'record')} in {out}, {out.stat().st_size / 1e6:.1f} MB.")


@store.command("unpack", epilog=example("aqa store unpack features.h5 features"))
@click.argument("packed", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("path", type=OUTPUT_FOLDER, default=Path("features"))
@click.pass_context
def store_unpack(ctx: click.Context, packed: Path, path: Path) -> None:
    """Copy the records of the file PACKED into the store at PATH, where more can be extracted.

    Existing records stay. Broken records are listed and left out; the exit code is then 3.
    """
    from aqa_pipeline.store import Store, unpack

    with progress_bar(None, unit=" records") as bar:
        done = unpack(Store(packed), Store(path), progress=bar.update)
    click.echo(
        f"{counted(done.num_written, 'record')} copied into {path}, {done.num_already_there} existed already."
    )
    if done.num_other:
        click.echo(
            f"{done.num_other} of the existing records {'was' if done.num_other == 1 else 'were'} made from "
            "other videos than the packed records. To have both, unpack into another folder."
        )
    _tell_problems(done.broken)
    ctx.exit(SOME_FAILED if done.broken else 0)


@store.command(
    "export", epilog=example("aqa store export features --streams segments --out arrays --format npy")
)
@store_argument
@click.option(
    "--out",
    type=OUTPUT_FOLDER,
    required=True,
    help="Folder for the files: OUT/DATASET/STREAM-SPEC/ID.npy or .safetensors.",
)
@click.option(
    "--format",
    "layout",
    type=click.Choice(["npy", "safetensors"]),
    default="npy",
    show_default=True,
    help="npy: only the features. safetensors: features, times and extras.",
)
@click.option("--datasets", metavar="A,B", help="Only these datasets.  [default: all]")
@click.option("--streams", metavar="A,B", help="Only these streams.  [default: all]")
def store_export(path: Path, out: Path, layout: Any, datasets: str | None, streams: str | None) -> None:
    """Write the features in the store at PATH as one plain file per video, for other programs."""
    from aqa_pipeline.store import Store, export

    with progress_bar(None, unit=" records") as bar:
        count = export(
            Store(path),
            out,
            layout=layout,
            datasets=parse_names(datasets),
            streams=parse_names(streams),
            progress=bar.update,
        )
    click.echo(f"{counted(count, 'file')} in {out}.")


store.add_command(store_import, "import")
