"""`aqa store`: what features there are, whether they are sound; shared in one file, or as arrays.

What takes the features of others in stands in `commands/store_import.py`.
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
    shout_about_random_weights,
)
from aqa_pipeline.commands.outputs import OUTPUT_FILE, OUTPUT_FOLDER, check_output
from aqa_pipeline.commands.simulate import shout_about_simulation
from aqa_pipeline.commands.store_import import store_import

if TYPE_CHECKING:
    from aqa_pipeline.records import StreamSpec
    from aqa_pipeline.store import Problem, Store
    from aqa_pipeline.store.repair import Action


@click.group()
def store() -> None:
    """What features are stored, and whether they are sound; sharing them, and import of others'."""


store_argument = click.argument(
    "path", type=click.Path(exists=True, path_type=Path), default=Path("features")
)


@store.command("ls", epilog=example("aqa store ls features"))
@store_argument
@click.option("--specs", is_flag=True, help="Show how each stream was made.")
def store_ls(path: Path, specs: bool) -> None:
    """Lists the streams in the store at PATH: one row per dataset, stream and way of making it."""
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
    shout_about_random_weights([row.spec for row in found])
    shout_about_simulation([row.spec for row in found])


def _origin(spec: "StreamSpec") -> str:
    """Where features come from, in a word or two."""
    if spec.simulated:
        return f"SIMULATED {spec.facts['signal']}, effect {spec.facts['effect']:g}"
    if spec.imported:
        return f"imported {spec.facts['imported']}"
    return "random weights" if spec.random_weights else "extracted"


@store.command("verify", epilog=example("aqa store verify features"))
@store_argument
@click.option(
    "--sources", is_flag=True, help="Instead, compare every record with the video that it was made from."
)
@click.option("--root", type=FOLDER, help="Folder of the videos, for --sources.  [default: where they were]")
@plugin_option
@click.pass_context
def store_verify(ctx: click.Context, path: Path, sources: bool, root: Path | None) -> None:
    """Checks every byte of every record of the store at PATH. Exits with 3 if something is broken.

    `damaged` is what was read and is no sound record, `left over` an interrupted write, `unreadable` what
    the disk does not give, `foreign` what this version does not write.
    With --sources, exits with 3 if a video is another now, or is not there.
    """
    from aqa_pipeline.store import Store

    if root and not sources:
        raise click.UsageError("--root is for --sources.")
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
    click.echo(f"{num_sound} of {num_sound + len(problems)} records are sound.")
    _tell_problems(problems)
    if problems and path.is_dir():
        click.echo(f"`aqa store repair {path}` sets aside what is damaged; then extract again.")
    ctx.exit(SOME_FAILED if problems else 0)


def _tell_sources(store: "Store", root: Path | None) -> bool:
    """Whether some record is not of what lies there now; all of these are listed."""
    from aqa_pipeline.sources.outdated import check_sources

    if root and len(store.datasets()) > 1:
        raise click.UsageError(f"--root is for a store of one dataset, not of {', '.join(store.datasets())}.")
    with progress_bar(None, unit=" records") as bar:
        checked = [each for each in check_sources(store, root=root) if not bar.update()]
    of_videos = [each for each in checked if each.of_a_video]
    differing = [each for each in of_videos if each.problem]
    click.echo(
        f"{len(of_videos) - len(differing)} of {len(of_videos)} records are of what lies there now; "
        f"{len(checked) - len(of_videos)} were imported or simulated."
    )
    for each in differing:
        shown = str(each.path) if str(each.path).isprintable() else repr(str(each.path))
        click.echo(f"  {shown}: {each.problem}")
    return bool(differing)


def _tell_problems(problems: "Sequence[Problem]") -> None:
    for problem in problems:
        path = str(problem.path)
        shown = path if path.isprintable() else repr(path)  # a strange name may hold a terminal's commands
        click.echo(f"  {problem.kind}: {shown}: {problem.reason}")


@store.command("repair", epilog=example("aqa store repair features --dry-run"))
@store_argument
@click.option(
    "--keep", type=OUTPUT_FOLDER, help="Where to move what is taken out.  [default: PATH/.set-aside]"
)
@click.option("--delete", is_flag=True, help="Delete what is taken out.")
@click.option("--dry-run", is_flag=True, help="Only list what would be taken out.")
@click.pass_context
def store_repair(ctx: click.Context, path: Path, keep: Path | None, delete: bool, dry_run: bool) -> None:
    """Takes damaged records and left-over files out of the store at PATH, and lists them.

    Sound records stay; the next `aqa extract` makes those that were taken out. What the disk does not give,
    and what is not ours, is listed and left where it is: the exit code is then 3. Links are never followed.
    """
    from aqa_pipeline.store import Store, repair

    if keep and delete:
        raise click.UsageError("--keep and --delete exclude each other.")
    action: Action = "nothing" if dry_run else "delete" if delete else "set aside"
    with progress_bar(None, unit=" records") as bar:
        done = repair(Store(path), action=action, keep=keep, progress=bar.update)
    done_to = f"moved to {done.set_aside}" if done.set_aside else "deleted"
    told = f"{'would be' if dry_run else 'were'} {done_to if done.removed else 'taken out'}"
    click.echo(f"{done.num_sound} records are sound; {len(done.removed)} files {told}.")
    _tell_problems(done.removed)
    if done.left:
        click.secho(f"{len(done.left)} files were left where they are:", fg="yellow", err=True)
        _tell_problems(done.left)
    if not dry_run and any(problem.kind == "damaged" for problem in done.removed):
        click.echo("To make these records again, run the same `aqa extract` as before: it fills the holes.")
    ctx.exit(SOME_FAILED if done.left else 0)


@store.command("pack", epilog=example("aqa store pack features --out features.h5"))
@store_argument
@click.option("--out", type=OUTPUT_FILE, help="The .h5 file to write.  [default: PATH.h5]")
@click.option("--datasets", metavar="A,B", help="Only these datasets.  [default: all]")
@click.option("--streams", metavar="A,B", help="Only these streams.  [default: all]")
def store_pack(path: Path, out: Path | None, datasets: str | None, streams: str | None) -> None:
    """Writes the store at PATH into one .h5 file, to share: whatever reads a store takes the file too."""
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
    click.echo(f"{count} records in {out}, {out.stat().st_size / 1e6:.1f} MB.")


@store.command("unpack", epilog=example("aqa store unpack features.h5 features"))
@click.argument("packed", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("path", type=OUTPUT_FOLDER, default=Path("features"))
@click.pass_context
def store_unpack(ctx: click.Context, packed: Path, path: Path) -> None:
    """Takes the records of the file PACKED into the store at PATH, to extract more beside them.

    Records that are there already stay. Broken ones are named and left out, and the exit code is 3.
    """
    from aqa_pipeline.store import Store, unpack

    with progress_bar(None, unit=" records") as bar:
        done = unpack(Store(packed), Store(path), progress=bar.update)
    click.echo(f"{done.num_written} records taken into {path}, {done.num_already_there} were there already.")
    if done.num_other:
        click.echo(
            f"{done.num_other} of these were made from other videos than the packed ones: they stay. "
            "Unpack into another folder to have both."
        )
    _tell_problems(done.broken)
    ctx.exit(SOME_FAILED if done.broken else 0)


@store.command(
    "export", epilog=example("aqa store export features --streams segments --out arrays --format npy")
)
@store_argument
@click.option(
    "--out", type=OUTPUT_FOLDER, required=True, help="Folder of the files: OUT/DATASET/STREAM-SPEC/ID.*"
)
@click.option(
    "--format",
    "layout",
    type=click.Choice(["npy", "safetensors"]),
    default="npy",
    show_default=True,
    help="npy: the features alone. safetensors: features, times and extras.",
)
@click.option("--datasets", metavar="A,B", help="Only these datasets.  [default: all]")
@click.option("--streams", metavar="A,B", help="Only these streams.  [default: all]")
def store_export(path: Path, out: Path, layout: Any, datasets: str | None, streams: str | None) -> None:
    """Writes the features in the store at PATH as one plain file per video, for other programs."""
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
    click.echo(f"{count} files in {out}.")


store.add_command(store_import, "import")
