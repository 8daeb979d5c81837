"""`aqa simulate`: features of no video around real labels, to prove the machinery."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aqa_pipeline.commands.options import FOLDER, default_root, example, plugin_option, progress_bar
from aqa_pipeline.commands.outputs import OUTPUT_FOLDER

if TYPE_CHECKING:
    from aqa_pipeline.records import StreamSpec, Video


def shout_about_simulation(specs: Iterable["StreamSpec"]) -> None:
    """Nobody shall take a simulation for a result."""
    if any(spec.simulated for spec in specs):
        click.secho("SIMULATED: these features were drawn at random, from no video.", fg="yellow", err=True)


@click.command(
    epilog=example(
        "aqa simulate --like rhythmic-gymnastics --root data/rhythmic-gymnastics --store simulated"
    )
)
@click.option(
    "--like",
    type=click.Choice(["aqa7", "fr-fs", "mit-skating", "mtl-aqa", "rhythmic-gymnastics"]),
    required=True,
    help="Whose labels.",
)
@click.option("--root", type=FOLDER, help="Folder of its label files; no videos.  [default: data/NAME]")
@click.option(
    "--store",
    type=OUTPUT_FOLDER,
    default=Path("simulated"),
    show_default=True,
    help="Folder of the feature store.",
)
@click.option(
    "--effect",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="Strength of the quality signal; 0 is none at all.",
)
@click.option(
    "--signal",
    type=click.Choice(["sparse", "even"]),
    default="sparse",
    show_default=True,
    help="sparse: in a few steps or clips or within the tube, hidden among distractors; even: the same share "
    "in all.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option(
    "--streams",
    default="",
    metavar="A,B",
    help="segments, crops, frames, c3d (segments of that network), clips, clips:BACKBONE, tubes, "
    "tubes:reference (one view, half the size).  "
    "[default: clips for mtl-aqa, tubes for aqa7 and fr-fs, the first four for others]",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    help="So many videos alone, from both sides of every split; `aqa fit --allow-missing` takes them.",
)
@click.option(
    "--draw-labels",
    is_flag=True,
    help="aqa7, fr-fs: draw the labels too, into a new folder --root, in the dataset's files and sizes.",
)
@plugin_option
def simulate(
    like: str,
    root: Path | None,
    store: Path,
    effect: float,
    signal: str,
    seed: int,
    streams: str,
    limit: int | None,
    draw_labels: bool,
) -> None:
    """Writes SIMULATED features: real labels and exact shapes, but drawn at random, from no video.

    They prove that heads find a signal where there is one, and nothing where there is none; never a paper.
    Records that are there already stay, so that a stopped simulation goes on.
    """
    from aqa_pipeline.datasets import load_dataset
    from aqa_pipeline.simulation import SIGNALS, Simulation, thinned, usual_streams
    from aqa_pipeline.simulation import simulate as run
    from aqa_pipeline.store import Origin, Store, write_origin

    if draw_labels:
        _draw_labels(like, root, seed)
    dataset = load_dataset(like, default_root(like, root))
    named = tuple(name.strip() for name in streams.split(",") if name.strip())
    chosen = named or usual_streams(like)
    simulation = Simulation(effect=effect, signal=SIGNALS[SIGNALS.index(signal)], seed=seed)
    videos = thinned(dataset, limit)
    _say_sizes(like, videos, chosen)
    with progress_bar(len(videos) * len(chosen), unit=" records") as bar:
        report = run(
            dataset,
            Store(store),
            simulation,
            streams=chosen,
            limit=limit,
            progress=lambda num_done: bar.update(num_done - bar.n),
        )
    write_origin(store, Origin(dataset.adapter, dataset.name, dataset.root))
    click.echo(
        f"SIMULATED {like}: {len(videos)} videos, {report.num_written} records written to {store}, "
        f"{report.num_resumed} were there already."
    )
    for spec in report.specs:
        click.echo(f"  {spec.stream} of {spec.facts['backbone']}: --spec {spec.stream}={spec.hash}")
    shout_about_simulation(report.specs)


def _draw_labels(like: str, root: Path | None, seed: int) -> None:
    from aqa_pipeline.simulation import LABELS, draw_labels

    if root is None or like not in LABELS:
        raise click.UsageError(f"--draw-labels wants a --root to write to, and --like {' or '.join(LABELS)}.")
    draw_labels(like, root, seed=seed)
    click.echo(f"Labels drawn at random lie in {root}: no judge gave them.", err=True)


def _say_sizes(dataset: str, videos: "Sequence[Video]", streams: tuple[str, ...]) -> None:
    """What the features will take up, before they do."""
    from aqa_pipeline.simulation import find_stream

    for stream in (find_stream(name, dataset=dataset) for name in streams):
        size = sum(stream.num_bytes(video) for video in videos) / 1e6
        click.echo(f"{stream.stream} of {stream.backbone}: about {size:,.0f} MB", err=True)
