"""`aqa diary`: the scores of athletes over time."""

from pathlib import Path

import click

from aqa_pipeline.commands.defaults import only_run
from aqa_pipeline.commands.options import EXISTING, example
from aqa_pipeline.commands.outputs import OUTPUT_FILE


@click.command(epilog=example("aqa diary --html diary.html"))
@click.argument("athlete", required=False)
@click.option("--run", type=EXISTING, help="A run made by `aqa fit`.  [default: the project's]")
@click.option("--html", type=OUTPUT_FILE, metavar="OUT", help="Write a page with the scores over time.")
@click.option("--csv", "csv_path", type=OUTPUT_FILE, metavar="OUT", help="Write one row per attempt.")
def diary(athlete: str | None, run: Path | None, html: Path | None, csv_path: Path | None) -> None:
    """Show the attempts of ATHLETE, or of all athletes, over time: the judges' scores and predicted ones.

    Athlete, date and element stand in the table of scores. A predicted score is that of networks that were
    not trained on the video: of the run's test videos, and of new videos that `aqa score` scored. Best and
    latest are named for each element. Before `aqa learn`, the diary shows the judges' scores alone.
    """
    from aqa_pipeline.project.find import find_project
    from heads.attempts.attempt import read_attempts
    from heads.attempts.diary import diaries_of
    from heads.attempts.diary_page_content import write_diary
    from heads.attempts.diary_text import format_diaries, write_diary_csv
    from heads.attempts.of_project import read_project_attempts
    from heads.runs.config import dataset_of, read_config

    project = find_project(Path.cwd())
    if run is None and project is not None:
        dataset, attempts = read_project_attempts(project)
    else:
        run = only_run(run)
        dataset = dataset_of(read_config(run))
        attempts = read_attempts(dataset, run)
    diaries = diaries_of(attempts, athlete)
    click.echo(format_diaries(diaries))
    if not attempts.residuals:
        click.echo("Predicted scores come after `aqa learn`.", err=True)
    if csv_path:
        write_diary_csv(csv_path, diaries)
        click.echo(f"Written: {csv_path}")
    if html:
        click.echo(f"Page: {write_diary(html, diaries, attempts, dataset=dataset.name)}")
