"""`aqa report`: what runs are worth, on one page."""

from pathlib import Path

import click

from aqa_pipeline.commands.defaults import only_run
from aqa_pipeline.commands.options import EXISTING, example, plugin_option
from aqa_pipeline.commands.outputs import OUTPUT_FILE, check_output


@click.command(epilog=example("aqa report runs/skating --html skating.html"))
@click.argument("runs", nargs=-1, type=EXISTING, metavar="[RUN]...")
@click.option(
    "--html",
    type=OUTPUT_FILE,
    default=Path("report.html"),
    show_default=True,
    metavar="OUT",
    help="The page; pages of the worst videos go into a folder beside it.",
)
@click.option(
    "--worst",
    type=click.IntRange(0),
    default=5,
    show_default=True,
    help="How many of the worst-predicted test videos get a page of their own.",
)
@click.option("--embed", is_flag=True, help="Put the videos into their pages instead of links to them.")
@plugin_option
def report(runs: tuple[Path, ...], html: Path, worst: int, embed: bool) -> None:
    """Writes a page on one run, or on several beside each other: metrics, curves, errors, worst videos.

    Everything is read from the run directories; the plots are put there too, as SVG and PNG. The pages of
    single videos need the dataset and the store where the run found them. RUN may be left out where there is
    only one in `runs`.
    """
    from heads.reports.runs import PLOTS, pages_folder, write_report
    from heads.runs.config import read_config
    from heads.runs.run_plugins import plugin_notes

    runs = runs or (only_run(None),)
    for folder in (pages_folder(html), *(run / PLOTS for run in runs)):
        check_output(folder, folder=True)
    for note in dict.fromkeys(note for run in runs for note in plugin_notes(read_config(run))):
        click.secho(note, fg="yellow", err=True)
    click.echo(f"Page: {write_report(runs, html, num_worst=worst, embed=embed)}")
    for run in runs:
        click.echo(f"Plots: {run / 'plots'}")
