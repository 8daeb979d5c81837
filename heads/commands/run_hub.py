"""`aqa run push` and `aqa run pull`: runs on the Hugging Face hub."""

from pathlib import Path
from tempfile import TemporaryDirectory

import click

from aqa_pipeline.commands.defaults import RUNS
from aqa_pipeline.commands.next_step import tell_next
from aqa_pipeline.commands.options import EXISTING, example
from aqa_pipeline.commands.outputs import OUTPUT_FOLDER, check_output


@click.command(epilog=example("aqa run push runs/skating my-club/skating"))
@click.argument("run_dir", metavar="RUN", type=EXISTING)
@click.argument("repository", metavar="OWNER/NAME")
@click.option("--public", is_flag=True, help="Let everybody read a new repository.  [default: private]")
def push(run_dir: Path, repository: str, public: bool) -> None:
    """Write RUN into a repository of the Hugging Face hub, with its card.

    The repository gets the file of `aqa run export`: weights, ids and scores of the videos, predictions, and
    the card. Needs the extra `hub` and a login (`hf auth login`).
    """
    from heads.reports.card import card_of
    from heads.runs.hub import push_run
    from heads.runs.shared_run import write_shared_run

    card = card_of(run_dir)
    with TemporaryDirectory() as folder:
        shared = Path(folder) / "run.zip"
        write_shared_run(run_dir, shared, card=card)
        address = push_run(shared, card, repository, public=public)
    click.echo(card)
    click.echo(address)
    tell_next("run", "pull", repository, then="where it is used")


@click.command(epilog=example("aqa run pull my-club/skating --out runs/skating"))
@click.argument("repository", metavar="OWNER/NAME")
@click.option("--out", type=OUTPUT_FOLDER, help="Run directory.  [default: runs/NAME]")
@click.option("--revision", metavar="NAME", help="A branch, tag or commit.  [default: main]")
def pull(repository: str, out: Path | None, revision: str | None) -> None:
    """Make a run of a repository that `aqa run push` wrote. Nothing in it is run. Needs the extra `hub`."""
    from heads.evaluation.evaluate import evaluate
    from heads.evaluation.evaluation_text import format_evaluation
    from heads.runs.hub import pull_run
    from heads.runs.shared_run import read_shared_run

    run_dir = out or RUNS / repository.rpartition("/")[2]
    check_output(run_dir, folder=True)
    with TemporaryDirectory() as folder:
        read_shared_run(pull_run(repository, Path(folder), revision=revision), run_dir)
    click.echo(format_evaluation(evaluate(run_dir)))
    click.echo(f"\nRun: {run_dir}")
    tell_next("score", "VIDEO", "--run", str(run_dir))
