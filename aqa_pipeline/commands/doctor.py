"""The command `aqa doctor`: describe this machine."""

from pathlib import Path

import click

from aqa_pipeline.commands.options import FOLDER, example, store_option


@click.command(epilog=example("aqa doctor --data data --store features"))
@click.option("--data", type=FOLDER, default=Path("data"), show_default=True, help="Folder of the datasets.")
@store_option
def doctor(data: Path, store: Path) -> None:
    """Describe this machine: disk, devices, libraries, weights, datasets and features.

    Lines begin with `ok` for what is present, `--` for what is absent (the line says what it is needed for),
    and `!!` for what is broken. The exit code is always 0.
    """
    from aqa_pipeline.doctor import examine

    marks = {"has": ("ok", "green"), "lacks": ("--", "yellow"), "broken": ("!!", "red")}
    for finding in examine(data=data, store=store):
        mark, color = marks[finding.state]
        click.echo(f"{click.style(mark, fg=color)}  {finding.topic}: {finding.text}")
