"""`aqa weights`: what is known, what is here, and getting it."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from aqa_pipeline.commands.options import SOME_FAILED, example, progress_bar
from aqa_pipeline.errors import WeightsError


@click.group()
def weights() -> None:
    """Pretrained weights: what is known, what is here, and getting it."""


@weights.command("list")
def weights_list() -> None:
    """Lists every known weights file: size, licence, how it is recognised, and whether it is here.

    Sizes are those that were published; where none was, there is none.
    """
    from aqa_pipeline.text_table import format_table
    from aqa_pipeline.weights import size_text, status, weights_folder

    rows = [
        (
            "yes" if row.present else "-",
            row.entry.name,
            size_text(row.entry),
            row.entry.licence.partition(";")[0],
            row.entry.identity_text,
        )
        for row in status()
    ]
    click.echo(f"{format_table(('here', 'name', 'size', 'licence', 'recognised by'), rows)}\n")
    click.echo(f"Folder: {weights_folder()} (set AQA_HOME for another)")


@weights.command("fetch", epilog=example("aqa weights fetch resnet50-imagenet-v1"))
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.pass_context
def weights_fetch(ctx: click.Context, names: tuple[str, ...]) -> None:
    """Downloads weights, verifies them, and puts them in place whole; run it again after a cut connection.

    A file that cannot be had is named with the reason, the others are fetched, and the exit code is 3.
    """
    from aqa_pipeline.weights import get_weights_file

    for name in names:
        get_weights_file(name)  # a slip of the pen is told before hundreds of MB come
    failures = [name for name in dict.fromkeys(names) if not _fetched(name)]
    if len(failures) > 1:
        click.echo(f"Not fetched: {', '.join(failures)}.", err=True)
    ctx.exit(0 if not failures else SOME_FAILED if len(failures) < len(set(names)) else 1)


def _fetched(name: str) -> bool:
    """Whether the file is here now; if not, the reason is told."""
    from aqa_pipeline.weights import fetch

    # No bar before there is something to show: an error shall not stand behind an empty one.
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
    """Takes a copy of a file that you have, once it proves to be what NAME promises."""
    from aqa_pipeline.weights import add

    click.echo(f"{name}: {add(name, path)}")


@weights.command("verify")
@click.pass_context
def weights_verify(ctx: click.Context) -> None:
    """Checks every weights file that is here against its digest. Exits with 3 if one is damaged."""
    from aqa_pipeline.text_table import format_table
    from aqa_pipeline.weights import verify, weights_folder

    found = verify()
    if not found:
        click.echo(f"No weights in {weights_folder()}. `aqa weights list` shows what can be fetched.")
        return
    click.echo(format_table(("name", "state"), found))
    ctx.exit(0 if all(state == "ok" for _, state in found) else SOME_FAILED)
