"""`aqa demo`: the whole pipeline on rendered videos."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

import aqa
from aqa.commands.parts import say_and_run
from aqa_pipeline.commands.options import example, parse_numbers, progress_bar
from aqa_pipeline.commands.outputs import OUTPUT_FOLDER
from aqa_pipeline.disk.folder_lock import sole_writer

if TYPE_CHECKING:
    from aqa_pipeline.records import Video
    from heads.evaluation.run_scores import Evaluation

FITS = {  # folder: the row in the last table, and the options of `aqa fit`
    "run": ("stack", ("--head", "stack")),
    "action-net": ("action-net", ("--head", "action-net")),
    "control": ("stack, shuffled labels", ("--head", "stack", "--shuffle-labels")),
}


@click.command(epilog=example("aqa demo --out demo"))
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
    say_and_run("extract", *common, *networks)
    say_and_run("extract", *common, *networks, *sheet)
    for folder, (_, options) in FITS.items():
        say_and_run("fit", *options, *common, "--seeds", seeds, "--out", str(out / folder))
    page = ["--boxes", str(held_out.boxes), "--html", str(out / "score.html")]
    say_and_run("score", str(held_out.path), "--run", str(out / "run"), *page)
    click.echo(f"The judges gave {held_out.labels['score']:.2f}.\n")
    runs = [out / folder for folder in FITS]
    say_and_run("report", *map(str, runs), "--html", str(out / "report.html"))
    click.echo()
    click.echo(_table([aqa.load_run(run).evaluate() for run in runs]))
    click.echo(_places(out))


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


def _table(evaluations: Sequence["Evaluation"]) -> str:
    """Return a table of correlations: the mean over seeds, its interval over videos and seeds, each seed."""
    from aqa_pipeline.text_table import format_table

    rows = []
    for (head, _), evaluation in zip(FITS.values(), evaluations, strict=True):
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


def _places(out: Path) -> str:
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
