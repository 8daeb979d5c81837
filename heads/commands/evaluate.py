"""`aqa evaluate`: a run's predictions -> numbers."""

from pathlib import Path

import click

from aqa_pipeline.commands.defaults import only_run
from aqa_pipeline.commands.options import EXISTING, example, plugin_option


@click.command(epilog=example("aqa evaluate runs/skating"))
@click.argument("run", type=EXISTING, required=False)
@plugin_option
def evaluate(run: Path | None) -> None:
    """Print the numbers of RUN from its stored predictions: Spearman with bootstrap interval, R-l2, MSE.

    RUN may be left out where there is only one in `runs`.
    """
    from heads.evaluation.against_baselines import against_baselines, format_against_baselines
    from heads.evaluation.evaluate import evaluate as measure
    from heads.evaluation.evaluation_text import format_evaluation
    from heads.runs.config import read_config
    from heads.runs.run_plugins import plugin_notes

    run = only_run(run)
    for note in plugin_notes(read_config(run)):
        click.secho(note, fg="yellow", err=True)
    click.echo(format_evaluation(measure(run)))
    if beside := against_baselines(run):
        click.echo("\n" + format_against_baselines(beside, title=read_config(run).head.name))
