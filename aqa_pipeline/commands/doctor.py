"""`aqa doctor`: this machine in words."""

from pathlib import Path

import click

from aqa_pipeline.commands.options import FOLDER, example, store_option


@click.command(epilog=example("aqa doctor --data data --store features"))
@click.option("--data", type=FOLDER, default=Path("data"), show_default=True, help="Folder of the datasets.")
@store_option
def doctor(data: Path, store: Path) -> None:
    """Explains this machine: devices, readers, detectors, weights, datasets, disk. Always exits with 0."""
    from aqa_pipeline.doctor import examine

    marks = {"has": ("ok", "green"), "lacks": ("--", "yellow"), "broken": ("!!", "red")}
    for finding in examine(data=data, store=store):
        mark, colour = marks[finding.state]
        click.echo(f"{click.style(mark, fg=colour)}  {finding.topic}: {finding.text}")
