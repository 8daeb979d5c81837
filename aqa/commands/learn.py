"""`aqa learn`: from the videos and scores of a project to a run, with a verdict."""

from datetime import date
from itertools import chain, count
from pathlib import Path

import click

from aqa.commands.parts import say_and_run
from aqa.verdict import verdict_lines
from aqa_pipeline.commands.next_step import tell_next
from aqa_pipeline.commands.options import SOME_FAILED, example
from aqa_pipeline.errors import AnotherRun


@click.command(epilog=example("aqa learn"))
def learn() -> None:
    """Extract the features of this folder's project, train its head, and say whether the run is usable.

    What was done before is not done again. Videos that fail are named and left out. Where videos or scores
    have changed, a new run is trained, and the old one is kept beside it, with the date in its name.
    """
    from aqa_pipeline.project.find import need_project

    project = need_project()
    say_and_run("extract", allow=(0, SOME_FAILED))
    try:
        say_and_run("fit", "--allow-missing")
    except click.ClickException as error:
        if not isinstance(error.__cause__, AnotherRun):
            raise
        click.echo(f"Videos, scores or aqa.toml have changed. The old run: {_put_aside(project.run)}")
        say_and_run("fit", "--allow-missing")
    click.echo()
    for line in verdict_lines(project):
        click.echo(line)
    tell_next("score", "VIDEO")


def _put_aside(run: Path) -> Path:
    """Rename a run after today's date; return its new path."""
    first = run.with_name(f"{run.name}-until-{date.today()}")
    later = (first.with_name(f"{first.name}-{number}") for number in count(2))
    aside = next(path for path in chain([first], later) if not path.exists())
    run.rename(aside)
    return aside
