"""The command line `aqa`: its commands parse options, call a function and print the result.

The commands of one stage are in that stage's `commands` package. This module joins them, and has what needs
both stages: `demo`, and the extraction for `score` and `reproduce`. Stages are imported inside commands:
`aqa --help` takes a fraction of a second and works without torch.
Data goes to stdout, progress and errors to stderr. Exit codes: 0 done, 1 an error that the message explains,
2 a wrong command line, 3 some videos failed and the rest is done, 4 a quick look (`reproduce --quick`).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import aqa
from aqa_pipeline.commands.datasets import datasets
from aqa_pipeline.commands.doctor import doctor
from aqa_pipeline.commands.next_step import as_a_part
from aqa_pipeline.commands.options import example, progress_bar
from aqa_pipeline.commands.outputs import OUTPUT_FOLDER
from aqa_pipeline.commands.simulate import simulate
from aqa_pipeline.commands.store import store
from aqa_pipeline.commands.weights import weights
from aqa_pipeline.disk_errors import explain_disk_error
from aqa_pipeline.errors import AqaError
from aqa_pipeline.folder_lock import sole_writer
from extract.commands.backbones import backbones
from extract.commands.extract import choices_of, extract
from extract.commands.tube_options import check_tube_options, tracker_options
from heads.commands.fit import evaluate, fit
from heads.commands.heads import heads
from heads.commands.report import report
from heads.commands.reproduce import compare, make_reproduce
from heads.commands.run import run
from heads.commands.score import make_score

if TYPE_CHECKING:
    from aqa_pipeline.records import Video
    from extract.run.new_video import NewVideoExtractor
    from extract.streams import Stream
    from heads.evaluation.run_scores import Evaluation
    from heads.scoring.ensemble import Ensemble
    from heads.tables.planning.plan import TablePlan


LONGEST_WORD_SHOWN = 200  # characters: a list of hundreds of videos is cut


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
    ctx.obj = _streams_of


def _streams_of(head: str) -> Sequence[str]:
    from heads.registry import find_head

    return find_head(head).streams


def _extract_needs(plan: "TablePlan", *, device: str, detector: str) -> None:
    """Extract the features that a table lacks; a stream that cannot be extracted does not stop the others."""
    from heads.tables.planning.extract_commands import extraction_calls

    chosen = ["--device", device, "--detector", detector]
    for call in extraction_calls(plan):
        if not _try_to_run(*call.arguments(plan.settings), *chosen) and len(call.needs) > 1:
            for alone in call.one_by_one():
                _try_to_run(*alone.arguments(plan.settings), *chosen)


def _absent_weights(streams: Sequence[tuple[str, str]], *, detector: str) -> Sequence[str]:
    from extract.choices.absent_weights import absent_weights

    return absent_weights(streams, detector=detector)


def _try_to_run(*arguments: str) -> bool:
    """Run a command of `aqa`, print it, and return whether it did all or part of its work; print why not."""
    _say(*(word if len(word) < LONGEST_WORD_SHOWN else f"{word[:60]}..." for word in arguments))
    try:
        with as_a_part():
            main.main(list(arguments), standalone_mode=False)
    except click.ClickException as error:
        click.secho(error.format_message(), fg="yellow", err=True)
        return False
    return True


def _open_extractor(ensemble: "Ensemble", options: dict[str, Any]) -> "NewVideoExtractor":
    """Return stage 1 of `aqa score`; raise `UsageError` for options that the run's streams do not read."""
    check_tube_options(options, list(ensemble.specs))
    extractor = aqa.new_video_extractor(
        ensemble,
        choices_of(options),
        cache=options["cache"],
        reader=options["reader"],
        show_progress=True,
    )
    _check_athlete_options(options, extractor.streams)
    return extractor


def _check_athlete_options(options: dict[str, Any], streams: Sequence["Stream"]) -> None:
    """Raise `UsageError` for an option about the athlete that these streams do not read."""
    finders = [str(each.spec.facts.get(key, "")) for each in streams for key in ("detector", "tracker")]
    if options["boxes"] and not any(finder.startswith("annotations") for finder in finders):
        raise click.UsageError(
            "--boxes are for runs whose detector or tracker is `annotations`; this run's: "
            f"{', '.join(filter(None, finders)) or 'none'}."
        )
    pointed = [f"--{name.replace('_', '-')}" for name in ("start", "init_box") if options[name]]
    if pointed and not any("start" in each.spec.facts for each in streams):
        raise click.UsageError(
            f"{', '.join(pointed)}: this run follows nobody from a start. "
            "Its tubes are read from disk, or its crops show the largest person."
        )
    if options["detector"] and not any("detector" in each.spec.facts for each in streams):
        raise click.UsageError(
            f"--detector: the run reads {', '.join(each.spec.stream for each in streams)}, "
            "which need no detector."
        )


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
    make_score(_open_extractor, extraction_options=tracker_options(otherwise="the run's")),
    report,
    doctor,
):
    main.add_command(command)


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

    The demo renders routines with known scores, extracts features with RANDOM network weights, fits
    ACTION-NET, fits it again on shuffled labels as a control, scores a test video, and writes pages that
    show where the score comes from.
    """
    from heads.evaluation.evaluate import evaluate as measure

    click.get_current_context().with_resource(sole_writer(out))
    root, features = out / "synthetic", out / "features"
    _render(root, num_videos)
    common = ["--dataset", "synthetic", "--root", str(root), "--store", str(features)]
    held_out = _held_out_video(root)
    sheet = ["--contact-sheet", str(out / "sheets"), "--videos", held_out.video_id]
    networks = ["--weights", "random:0", "--detector", "annotations"]
    _say_and_run("extract", *common, *networks)
    _say_and_run("extract", *common, *networks, *sheet)
    _say_and_run("fit", "--head", "action-net", *common, "--seeds", seeds, "--out", str(out / "run"))
    control = ["--shuffle-labels", "--out", str(out / "control")]
    _say_and_run("fit", "--head", "action-net", *common, "--seeds", seeds, *control)
    page = ["--boxes", str(held_out.boxes), "--html", str(out / "score.html")]
    _say_and_run("score", str(held_out.path), "--run", str(out / "run"), *page)
    click.echo(f"The judges gave {held_out.labels['score']:.2f}.\n")
    _say_and_run("report", str(out / "run"), str(out / "control"), "--html", str(out / "report.html"))
    click.echo()
    click.echo(_demo_table({"true labels": measure(out / "run"), "shuffled": measure(out / "control")}))
    click.echo(_demo_places(out))


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
    import shlex

    click.secho(f"\n$ aqa {shlex.join(arguments)}", bold=True)


def _say_and_run(*arguments: str) -> None:
    """Print a command of `aqa` as a person would type it, and run it."""
    _say(*arguments)
    with as_a_part():
        failed = main.main(list(arguments), standalone_mode=False)
    if failed:
        raise AqaError(f"the demo stopped: `aqa {arguments[0]}` did not succeed (see above).")


def _demo_table(evaluations: dict[str, "Evaluation"]) -> str:
    """Return a table of correlations: the mean over seeds, its interval over videos and seeds, each seed."""
    from aqa_pipeline.text_table import format_table

    rows = []
    for labels, evaluation in evaluations.items():
        (split,) = evaluation.splits
        per_seed = ", ".join(f"{cell.scores.spearman:.2f}" for cell in evaluation.cells)
        interval = f"[{split.interval.low:.2f}, {split.interval.high:.2f}]"
        rows.append((labels, f"{split.mean:.2f}", interval, per_seed))
    header = ("trained on", "Spearman", "95 % interval", "single seeds")
    num_videos = next(iter(evaluations.values())).splits[0].ensemble.num_videos
    return f"On {num_videos} held-out videos:\n\n{format_table(header, rows)}"


def _demo_places(out: Path) -> str:
    from aqa_pipeline.text_table import format_table

    rows = [
        (out / "synthetic", "videos, scores and boxes, rendered just now"),
        (out / "features", "the feature store (`aqa store ls`, `aqa store verify`)"),
        (out / "sheets", "the input of the networks, of the scored video"),
        (out / "run", "config, predictions, learning curves and checkpoints per seed"),
        (out / "control", "the same on shuffled labels: its correlation must be near 0"),
        (out / "score.html", "the page of the scored video: open it in a browser"),
        (out / "report.html", "both runs compared, with pages of the videos with the largest errors"),
    ]
    return "\n" + format_table(("where", "what"), rows)
