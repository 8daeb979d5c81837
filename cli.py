"""The command line `aqa`: its commands parse options, call a function and print the result.

The commands of one stage are in that stage's `commands` package. This module joins them. Work that needs both
stages is done by `aqa`, which imports the stages inside its functions: `aqa --help` takes a fraction of a
second and works without torch.
Data goes to stdout, progress and errors to stderr. Exit codes: 0 done, 1 an error that the message explains,
2 a wrong command line, 3 some videos failed and the rest is done, 4 a quick look (`reproduce --quick`).
"""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import aqa
from aqa.commands.demo import demo
from aqa.commands.learn import learn
from aqa.commands.serve import serve
from aqa_pipeline.commands.clip import clip
from aqa_pipeline.commands.datasets import datasets
from aqa_pipeline.commands.doctor import doctor
from aqa_pipeline.commands.measure import measure
from aqa_pipeline.commands.project import check, init
from aqa_pipeline.commands.simulate import simulate
from aqa_pipeline.commands.store import store
from aqa_pipeline.commands.weights import weights
from aqa_pipeline.disk.error_text import explain_disk_error
from aqa_pipeline.errors import AqaError
from aqa_pipeline.project.find import find_project
from aqa_pipeline.project.option_defaults import option_defaults
from extract.commands.backbones import backbones
from extract.commands.extract import extract
from extract.commands.new_video_options import check_athlete_options, new_video_options
from extract.commands.parse_options import check_streams_read, parse_stream_options
from heads.commands.attempts.diary import diary
from heads.commands.bench import bench
from heads.commands.compare import compare
from heads.commands.evaluate import evaluate
from heads.commands.fit import fit
from heads.commands.heads import heads
from heads.commands.report import report
from heads.commands.reproduce import make_reproduce
from heads.commands.run import run
from heads.commands.score import make_score

if TYPE_CHECKING:
    from extract.choices.options import NewVideoOptions
    from extract.run.new_video import NewVideoExtractor
    from heads.scoring.ensemble import Ensemble
    from heads.tables.planning.plan import TablePlan


class FrontDoor(click.Group):
    """Turn domain errors and errors of the disk into one line on stderr and exit code 1.

    In a project (a folder with `aqa.toml`), commands take from its file what is not on the command line.
    """

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command's name, the command and its words, and set its defaults of the project."""
        name, command, words = super().resolve_command(ctx, args)
        if name and not ctx.resilient_parsing and (project := find_project(Path.cwd())):
            ctx.default_map = {name: option_defaults(project, name, words)}
        return name, command, words

    def invoke(self, ctx: click.Context) -> Any:
        """Invoke the command; raise `ClickException` in place of an error that the user can mend."""
        try:
            return super().invoke(ctx)
        except AqaError as error:
            raise click.ClickException(str(error)) from error
        except Exception as error:
            message = explain_disk_error(error)
            if message is None:
                raise
            raise click.ClickException(message) from error


SETTINGS = {
    "help_option_names": ["-h", "--help"],
    "max_content_width": 100,
    "auto_envvar_prefix": "AQA",  # `--weights` of `aqa extract` is also AQA_EXTRACT_WEIGHTS
}


@click.group(cls=FrontDoor, context_settings=SETTINGS)
@click.version_option(package_name="aqa-pipeline", message="%(package)s %(version)s")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Assess the quality of actions in video: extract features once, train small heads in seconds.

    \b
    Start here:
      aqa demo                                    everything at once, on rendered videos, no download
      aqa doctor                                  what this machine has and lacks
    \b
    With your own videos, in a project that remembers its options:
      aqa init my-videos                          writes aqa.toml and a table for your scores
      aqa check; aqa learn; aqa score VIDEO       inside the folder: no options
      aqa score VIDEO --against last; aqa diary   an athlete's attempts, and whether they differ
      aqa serve                                   the same in a browser
    \b
    With a paper's dataset, in data/mit-skating or any folder that --root names:
      aqa datasets check mit-skating              is everything there?
      aqa extract --dataset mit-skating           videos -> features
      aqa fit --head action-net                   features -> runs/mit-skating-action-net
      aqa score VIDEO                             a new video, by the only run in runs
    \b
    The environment can set every option: AQA_EXTRACT_WEIGHTS is `aqa extract --weights`.
    """
    ctx.obj = _HeadInputs()


class _HeadInputs:
    """What heads read, by name."""

    def __call__(self, head: str) -> Sequence[str]:
        streams: Sequence[str] = aqa.find_head(head).streams
        return streams

    def reads_tubes(self, head: str) -> bool:
        return bool(aqa.find_head(head).reads_tubes)


def _extract_needs(plan: "TablePlan", options: Mapping[str, Any]) -> None:
    """Extract the features that a table lacks; print the command of each pass, and its report or error."""

    def tell(kind: str, text: str) -> None:
        if kind == "command":
            click.secho(f"\n$ {text} {shlex.join(_chosen_words(options, command=text))}", bold=True)
        elif kind == "report":
            click.echo(text)
        else:
            click.secho(text, fg="yellow", err=True)

    aqa.extract_for_table(plan, parse_stream_options(options), tell=tell)


def _chosen_words(options: Mapping[str, Any], *, command: str) -> list[str]:
    """Return the options to add to `aqa extract ...`; those that are left open are left out.

    Pictures are made without a network, so that `aqa extract --streams pixels` refuses weights.
    """
    without = {"weights"} if " --streams pixels " in command else set()
    words = []
    for name, value in options.items():
        if name in without:
            continue
        for each in value if isinstance(value, tuple) else (value,):
            if each is not None:
                words += [f"--{name.replace('_', '-')}", str(each)]
    return words


def _absent_weights(streams: Sequence[tuple[str, str]], *, detector: str) -> Sequence[str]:
    names: Sequence[str] = aqa.absent_weights(streams, detector=detector)
    return names


def _open_extractor(
    ensemble: "Ensemble", options: "NewVideoOptions", *, cache: Path, boxes: Path | None
) -> "NewVideoExtractor":
    """Return stage 1 of `aqa score`; raise `UsageError` for options that the run's streams do not read."""
    check_streams_read(options.stream_options, list(ensemble.specs))
    extractor = aqa.new_video_extractor(
        ensemble, options.stream_options, cache=cache, reader=options.reader, show_progress=True
    )
    check_athlete_options(options.stream_options.athlete, extractor.streams, boxes=boxes)
    return extractor


for command in (
    demo,
    init,
    check,
    learn,
    serve,
    datasets,
    weights,
    backbones,
    heads,
    run,
    extract,
    simulate,
    store,
    fit,
    evaluate,
    compare,
    bench,
    make_reproduce(_extract_needs, _absent_weights),
    make_score(_open_extractor, extraction_options=new_video_options),
    diary,
    clip,
    measure,
    report,
    doctor,
):
    main.add_command(command)
