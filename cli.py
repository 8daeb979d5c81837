"""The command line `aqa`: its commands parse options, call a function and print the result.

The commands of one stage are in that stage's `commands` package. This module joins them. Work that needs both
stages is done by `aqa`, which imports the stages inside its functions: `aqa --help` takes a fraction of a
second and works without torch.
Data goes to stdout, progress and errors to stderr. Exit codes: 0 done, 1 an error that the message explains,
2 a wrong command line, 3 some videos failed and the rest is done, 4 a quick look (`reproduce --quick`).
"""

import math
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import aqa
from aqa_pipeline.commands.datasets import datasets
from aqa_pipeline.commands.doctor import doctor
from aqa_pipeline.commands.next_step import as_a_part
from aqa_pipeline.commands.options import example, parse_numbers, progress_bar
from aqa_pipeline.commands.outputs import OUTPUT_FOLDER
from aqa_pipeline.commands.simulate import simulate
from aqa_pipeline.commands.store import store
from aqa_pipeline.commands.weights import weights
from aqa_pipeline.disk.error_text import explain_disk_error
from aqa_pipeline.disk.folder_lock import sole_writer
from aqa_pipeline.errors import AqaError
from extract.commands.backbones import backbones
from extract.commands.extract import extract
from extract.commands.new_video_options import check_athlete_options, new_video_options
from extract.commands.parse_options import check_streams_read, parse_stream_options
from heads.commands.compare import compare
from heads.commands.evaluate import evaluate
from heads.commands.fit import fit
from heads.commands.heads import heads
from heads.commands.report import report
from heads.commands.reproduce import make_reproduce
from heads.commands.run import run
from heads.commands.score import make_score

if TYPE_CHECKING:
    from aqa_pipeline.records import Video
    from extract.choices.options import NewVideoOptions
    from extract.run.new_video import NewVideoExtractor
    from heads.evaluation.run_scores import Evaluation
    from heads.scoring.ensemble import Ensemble
    from heads.tables.planning.plan import TablePlan


class FrontDoor(click.Group):
    """Turn domain errors and errors of the disk into one line on stderr and exit code 1."""

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
    With real videos, in data/mit-skating or any folder that --root names:
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
    make_reproduce(_extract_needs, _absent_weights),
    make_score(_open_extractor, extraction_options=new_video_options),
    report,
    doctor,
):
    main.add_command(command)


DEMO_FITS = {  # folder: the row in the last table, and the options of `aqa fit`
    "run": ("stack", ("--head", "stack")),
    "action-net": ("action-net", ("--head", "action-net")),
    "control": ("stack, shuffled labels", ("--head", "stack", "--shuffle-labels")),
}


@main.command(epilog=example("aqa demo --out demo"))
@click.option(
    "--out",
    type=OUTPUT_FOLDER,
    default=Path("demo"),
    show_default=True,
    help="Folder of everything that the demo makes.",
)
@click.option("--num-videos", type=click.IntRange(9), help="Routines to render.  [default: 72]")
@click.option("--seeds", default="0,1,2", show_default=True, metavar="A,B")
def demo(out: Path, num_videos: int | None, seeds: str) -> None:
    """Run the whole pipeline on rendered videos: no download, a few minutes on two CPU cores.

    The demo renders routines with known scores and extracts features with a small network that was trained on
    ImageNet. It fits the heads `stack` and `action-net`, and `stack` again on shuffled labels as a control.
    It scores a test video, and writes pages that show where the score comes from.
    """
    _check_seeds(seeds)
    click.get_current_context().with_resource(sole_writer(out))
    root, features = out / "synthetic", out / "features"
    _render(root, num_videos)
    common = ["--dataset", "synthetic", "--root", str(root), "--store", str(features)]
    held_out = _held_out_video(root)
    sheet = ["--contact-sheet", str(out / "sheets"), "--videos", held_out.video_id]
    networks = ["--preset", "light", "--detector", "annotations"]
    _say_and_run("extract", *common, *networks)
    _say_and_run("extract", *common, *networks, *sheet)
    for folder, (_, options) in DEMO_FITS.items():
        _say_and_run("fit", *options, *common, "--seeds", seeds, "--out", str(out / folder))
    page = ["--boxes", str(held_out.boxes), "--html", str(out / "score.html")]
    _say_and_run("score", str(held_out.path), "--run", str(out / "run"), *page)
    click.echo(f"The judges gave {held_out.labels['score']:.2f}.\n")
    runs = [out / folder for folder in DEMO_FITS]
    _say_and_run("report", *map(str, runs), "--html", str(out / "report.html"))
    click.echo()
    click.echo(_demo_table([aqa.load_run(run).evaluate() for run in runs]))
    click.echo(_demo_places(out))


def _check_seeds(seeds: str) -> None:
    """Raise `UsageError` for seeds that `fit` would refuse, before minutes of rendering."""
    numbers = parse_numbers(seeds)
    if len(set(numbers)) < len(numbers) or min(numbers) < 0:
        raise click.UsageError(f"--seeds expects different numbers of at least 0; got {seeds!r}.")


def _render(root: Path, num_videos: int | None) -> None:
    from aqa_pipeline.datasets.synthetic.dataset import NUM_VIDEOS, render_synthetic

    total = num_videos or NUM_VIDEOS
    click.secho(f"Rendering {total} routines into {root}", bold=True)
    with progress_bar(total, unit=" videos") as bar:
        render_synthetic(root, num_videos=total, workers=2, progress=lambda done, _: bar.update(done - bar.n))


def _held_out_video(root: Path) -> "Video":
    from aqa_pipeline.datasets import load_dataset

    dataset = load_dataset("synthetic", root)
    return dataset.video(dataset.split(dataset.default_splits[0]).test[0])


def _say(*arguments: str) -> None:
    click.secho(f"\n$ aqa {shlex.join(arguments)}", bold=True)


def _say_and_run(*arguments: str) -> None:
    """Print a command of `aqa` as a person would type it, and run it."""
    _say(*arguments)
    with as_a_part():
        failed = main.main(list(arguments), standalone_mode=False)
    if failed:
        raise AqaError(f"the demo stopped: `aqa {arguments[0]}` did not succeed (see above).")


def _demo_table(evaluations: Sequence["Evaluation"]) -> str:
    """Return a table of correlations: the mean over seeds, its interval over videos and seeds, each seed."""
    from aqa_pipeline.text_table import format_table

    rows = []
    for (head, _), evaluation in zip(DEMO_FITS.values(), evaluations, strict=True):
        (split,) = evaluation.splits
        per_seed = ", ".join(_correlation(cell.scores.spearman) for cell in evaluation.cells)
        low, high = split.interval.low, split.interval.high
        interval = "undefined" if math.isnan(low) else f"[{low:.2f}, {high:.2f}]"
        rows.append((head, _correlation(split.mean), interval, per_seed))
    header = ("head", "Spearman", "95 % interval", "single seeds")
    num_videos = evaluations[0].splits[0].ensemble.num_videos
    undefined = "\nundefined: every video got the same score, because there was nothing to learn.\n"
    note = undefined if any(math.isnan(evaluation.overall.mean) for evaluation in evaluations) else ""
    return f"On {num_videos} held-out videos:\n\n{format_table(header, rows)}\n{note}"


def _correlation(value: float) -> str:
    return "undefined" if math.isnan(value) else f"{value:.2f}"


def _demo_places(out: Path) -> str:
    from aqa_pipeline.text_table import format_table

    rows = [
        (out / "synthetic", "videos, scores and boxes, rendered just now"),
        (out / "features", "the feature store (`aqa store ls`, `aqa store verify`)"),
        (out / "sheets", "the input of the networks, of the scored video"),
        (out / "run", "the stack: config, predictions and checkpoints per seed"),
        (out / "action-net", "the same of ACTION-NET, with learning curves"),
        (out / "control", "the stack on shuffled labels, which must find nothing"),
        (out / "score.html", "the page of the scored video: open it in a browser"),
        (out / "report.html", "the three runs compared, with pages of the videos with the largest errors"),
    ]
    return "\n" + format_table(("where", "what"), rows)
