"""`aqa weights`: what is known, what is here, and getting it."""

from pathlib import Path
from typing import Any

import click

from aqa_pipeline.commands.options import SOME_FAILED, example, progress_bar


@click.group()
def weights() -> None:
    """Pretrained weights: what is known, what is here, and getting it."""


@weights.command("list")
def weights_list() -> None:
    """Lists every known weights file: size, licence, how it is recognised, and whether it is here."""
    from aqa_pipeline.tables import format_table
    from aqa_pipeline.weights import status, weights_folder

    rows = [
        (
            "yes" if row.present else "-",
            row.entry.name,
            f"{row.entry.size / 1e6:.0f} MB" if row.entry.size else "?",
            row.entry.licence.partition(";")[0],
            row.entry.identity_text,
        )
        for row in status()
    ]
    click.echo(f"{format_table(('here', 'name', 'size', 'licence', 'recognised by'), rows)}\n")
    click.echo(f"Folder: {weights_folder()} (set AQA_HOME for another)")


@weights.command("fetch", epilog=example("aqa weights fetch resnet50-imagenet-v1"))
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
def weights_fetch(names: tuple[str, ...]) -> None:
    """Downloads weights, verifies them, and puts them in place whole; run it again after a cut connection."""
    from aqa_pipeline.weights import fetch

    for name in names:
        with progress_bar(None, unit="B", unit_scale=True, desc=name) as bar:

            def show(done: int, total: int | None, bar: Any = bar) -> None:
                bar.total = total
                bar.update(done - bar.n)

            path = fetch(name, show)
        click.echo(f"{name}: {path}")


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
    from aqa_pipeline.tables import format_table
    from aqa_pipeline.weights import verify, weights_folder

    found = verify()
    if not found:
        click.echo(f"No weights in {weights_folder()}. `aqa weights list` shows what can be fetched.")
        return
    click.echo(format_table(("name", "state"), found))
    ctx.exit(0 if all(state == "ok" for _, state in found) else SOME_FAILED)
