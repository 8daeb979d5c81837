"""`aqa report`: one page on one or several runs."""

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
    help="File of the page. Pages of the worst videos go into a folder beside it.",
)
@click.option(
    "--worst",
    type=click.IntRange(0),
    default=5,
    show_default=True,
    help="How many test videos with the largest errors get a page.",
)
@click.option("--embed", is_flag=True, help="Put the videos into their pages instead of links.")
@plugin_option
def report(runs: tuple[Path, ...], html: Path, worst: int, embed: bool) -> None:
    """Write a page with the metrics, plots and worst videos of one or several runs.

    The page needs only the run directories. Plots are also written into them, as SVG and PNG. Pages of single
    videos need the dataset and the feature store of the run. RUN may be omitted if `runs` has only one.
    """
    from heads.reports.report import pages_folder, write_report
    from heads.reports.run_facts import PLOTS
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
