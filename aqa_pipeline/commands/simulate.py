"""The command `aqa simulate`: draw random features with a known signal for real labels."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aqa_pipeline.commands.options import FOLDER, default_root, example, plugin_option, progress_bar
from aqa_pipeline.commands.outputs import OUTPUT_FOLDER
from aqa_pipeline.plurals import counted

if TYPE_CHECKING:
    from aqa_pipeline.records import StreamSpec, Video


def warn_of_simulation(specs: Iterable["StreamSpec"]) -> None:
    """Print a warning if features are simulated, so that nobody takes them for results."""
    if any(spec.simulated for spec in specs):
        click.secho(
            "SIMULATED: these features were drawn at random, not extracted from videos.",
            fg="yellow",
            err=True,
        )


@click.command(
    epilog=example(
        "aqa simulate --like rhythmic-gymnastics --root data/rhythmic-gymnastics --store simulated"
    )
)
@click.option(
    "--like",
    type=click.Choice(["aqa7", "fr-fs", "jigsaws", "mit-skating", "mtl-aqa", "rhythmic-gymnastics"]),
    required=True,
    help="Dataset whose labels and shapes are used.",
)
@click.option(
    "--root",
    type=FOLDER,
    help="Folder of the label files; videos are not needed.  [default: data/DATASET]",
)
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
    help="Strength of the quality signal; 0 means no signal.",
)
@click.option(
    "--signal",
    type=click.Choice(["sparse", "even"]),
    default="sparse",
    show_default=True,
    help="sparse: the signal is in a few steps or clips, or within the tube, among distractors. even: it is "
    "the same in all.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the random numbers."
)
@click.option(
    "--streams",
    default="",
    metavar="A,B",
    help="Streams to simulate: segments, crops, frames, c3d (segments of that network), poses, "
    "clips, clips:BACKBONE, tubes, tubes:reference (one view, half the size).  "
    "[default: clips for mtl-aqa, tubes for aqa7 and fr-fs, segments for jigsaws, the first four for others]",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    help="Number of videos, taken from the training and test set of every split; use them with `aqa fit "
    "--allow-missing`.  [default: all]",
)
@click.option(
    "--draw-labels",
    is_flag=True,
    help="For aqa7, fr-fs and jigsaws: draw random labels too, and write them to the new folder --root, in "
    "the format and size of the dataset.",
)
@plugin_option
def simulate(
    *,
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
    """Write SIMULATED features for the real labels of a dataset: random numbers of the right shapes.

    Use them to test that a head finds a signal if there is one, and nothing if there is none. They say
    nothing about a paper. Existing records stay, so that an interrupted simulation can continue.
    """
    from aqa_pipeline.datasets import load_dataset
    from aqa_pipeline.simulation import SIGNALS, Simulation, thinned, usual_streams
    from aqa_pipeline.simulation import simulate as run
    from aqa_pipeline.spec_facts import typed_facts
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
    written = f"{counted(report.num_written, 'record')} written to {store}"
    click.echo(
        f"SIMULATED {like}: {counted(len(videos), 'video')}, {written}, {report.num_resumed} existed already."
    )
    for spec in report.specs:
        click.echo(f"  {spec.stream} of {typed_facts(spec).backbone}: --spec {spec.stream}={spec.hash}")
    warn_of_simulation(report.specs)


def _draw_labels(like: str, root: Path | None, seed: int) -> None:
    from aqa_pipeline.simulation import LABELS, draw_labels

    if root is None or like not in LABELS:
        raise click.UsageError(
            f"--draw-labels needs --root, a new folder to write to, and --like {' or '.join(LABELS)}."
        )
    draw_labels(like, root, seed=seed)
    click.echo(f"Wrote random labels to {root}. They are not from judges.", err=True)


def _say_sizes(dataset: str, videos: "Sequence[Video]", streams: tuple[str, ...]) -> None:
    """Print the disk space that the features will need."""
    from aqa_pipeline.simulation import find_stream

    for stream in (find_stream(name, dataset=dataset) for name in streams):
        size = sum(stream.num_bytes(video) for video in videos) / 1e6
        click.echo(f"{stream.stream} of {stream.backbone}: about {size:,.0f} MB", err=True)
