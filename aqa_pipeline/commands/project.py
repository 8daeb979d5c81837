"""The commands `aqa init` and `aqa check`: begin a project, and see whether it is ready to learn."""

import shlex
from pathlib import Path

import click

from aqa_pipeline.commands.datasets import print_check
from aqa_pipeline.commands.next_step import tell_next
from aqa_pipeline.commands.options import FOLDER, SOME_FAILED, clock_time, example
from aqa_pipeline.plurals import counted

FEWEST_SCORED = 10  # different test videos that a verdict needs


@click.command(epilog=example("aqa init my-videos"))
@click.argument("folder", type=FOLDER, default=Path())
@click.option("--head", default="stack", show_default=True, help="The head that learns the scores.")
@click.option(
    "--preset",
    type=click.Choice(["light", "paper"]),
    default="light",
    show_default=True,
    help="Networks that make the features; those of `light` run on any CPU.",
)
@click.option("--detector", metavar="KIND[:MODEL]", help="Detector of the athlete.  [default: the preset's]")
def init(folder: Path, head: str, preset: str, detector: str | None) -> None:
    """Make FOLDER a project: write aqa.toml, and a table of its videos for your scores.

    Inside a project, `aqa check`, `aqa learn` and `aqa score VIDEO` need no options. Other commands take from
    aqa.toml what their command line leaves open. A CSV that is there already is kept.
    """
    from aqa_pipeline.project.find import PROJECT_FILE
    from aqa_pipeline.project.new import SCORES, write_score_table
    from aqa_pipeline.project.project_file import ProjectFile, write_project_file

    folder.mkdir(parents=True, exist_ok=True)
    project = ProjectFile(head=head, preset=preset, detector=detector)  # type: ignore[arg-type]
    write_project_file(folder / PROJECT_FILE, project)
    click.echo(f"Written: {folder / PROJECT_FILE}, what the commands in this folder do")
    num_videos = write_score_table(folder)
    if num_videos is None:
        click.echo("Kept: the table of scores that is there")
    else:
        click.echo(f"Written: {folder / SCORES}, with {counted(num_videos, 'video')}: enter their scores")
        if not num_videos:
            click.echo(f"Put your videos into {folder} or {folder / 'videos'}, and a line for each into it.")
    if folder.resolve() != Path.cwd().resolve():
        click.echo(f"then: cd {shlex.quote(str(folder))}")
    tell_next("check")


@click.command(epilog=example("aqa check"))
@click.pass_context
def check(ctx: click.Context) -> None:
    """Check the project of this folder: its videos, scores and boxes; say how long `aqa learn` takes.

    The exit code is 3 if something is missing or unusable.
    """
    from aqa_pipeline.datasets import load_dataset
    from aqa_pipeline.project.find import need_project
    from aqa_pipeline.project.learning_time import extraction_seconds, training_seconds
    from aqa_pipeline.store import Store

    project = need_project()
    dataset = load_dataset("folder", project.root, called=project.name)
    report = print_check(dataset, Store(project.store))
    num_scored = sum(bool(video.labels) for video in dataset.videos)
    if num_scored < FEWEST_SCORED:
        scored = counted(num_scored, "video")
        click.echo(
            f"{scored} with a score: a verdict needs at least {FEWEST_SCORED}, and fifty are a good start."
        )
        tell_next("check", then="after adding scores")
    else:
        extraction = clock_time(extraction_seconds(report, project.file))
        training = clock_time(training_seconds(num_scored, project.file))
        click.echo(
            f"On two CPU cores `aqa learn` takes about {extraction} to extract all videos, "
            f"and {training} to train."
        )
        tell_next("learn")
    ctx.exit(0 if report.complete else SOME_FAILED)
