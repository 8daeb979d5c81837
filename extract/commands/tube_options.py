"""Options of the stream `tubes`. Importing this imports nothing heavy."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aqa_pipeline.commands.options import Decorator, together

if TYPE_CHECKING:
    from extract.choices.tubes import TubeChoices
    from extract.detectors import AthleteRule

OWN = (
    None,
    "folder",
)  # videos of one's own, by adapter; on all others ACTION-NET's largest person is cropped
NAMES = ("tracker", "tracker_weights", "last_frames", "clip_stride")
POINTING = ("start", "init_box")


def tracker_options(*, otherwise: str | None = None) -> Decorator:
    """Who is followed, and by whom; `otherwise` says what holds for options that are left out."""

    def default(usual: str) -> str:
        return f"  [default: {otherwise or usual}]"

    return together(
        click.option(
            "--tracker",
            metavar="KIND[:SETTING]",
            help="Stream tubes: who follows the athlete: siammask, siammask:vot, siammask:vot-ld, nano, vit, "
            f"or annotations[:JSON or folder of CSV] (quads from disk).{default('siammask')}",
        ),
        click.option(
            "--tracker-weights",
            metavar="official|random:SEED|PATH",
            help=f"Weights of the tracker.{default('official')}",
        ),
        click.option(
            "--start",
            type=click.Choice(["largest", "central"]),
            help=f"Tubes and followed crops: which person is followed.{default('largest')}",
        ),
        click.option(
            "--init-box",
            metavar="X1,Y1,X2,Y2",
            help="Tubes and followed crops: the athlete in the first frame, in pixels; 4 numbers, or 8 of "
            f"corners.{default('from --detector')}",
        ),
    )


tube_options = together(
    tracker_options(),
    click.option(
        "--athlete",
        type=click.Choice(["largest", "followed"]),
        help="Stream crops: the largest person of every frame, or one who is followed through the video.  "
        "[default: followed for your own videos, largest for the papers' datasets]",
    ),
    click.option(
        "--last-frames",
        type=click.IntRange(16),
        help="Stream tubes: so many frames up to the end, all of a shorter video.  [default: 103]",
    ),
    click.option(
        "--clip-stride",
        type=click.IntRange(1, 16),
        help="Stream tubes: frames from clip to clip.  [default: 10; for fr-fs 16]",
    ),
)


def check_tube_options(options: dict[str, Any], streams: Sequence[str]) -> None:
    """Raise `UsageError` for options that no chosen stream reads."""
    for wanted, names in ((("tubes",), NAMES), (("tubes", "crops"), POINTING), (("crops",), ("athlete",))):
        given = [f"--{name.replace('_', '-')}" for name in names if options.get(name) is not None]
        if given and not set(wanted) & set(streams):
            raise click.UsageError(
                f"{', '.join(given)}: for the stream {' or '.join(wanted)}, not for {', '.join(streams)}."
            )


def tube_choices_of(options: dict[str, Any], *, dataset: str | None) -> "TubeChoices":
    """Return what the options choose; options left open are as the paper has them for the dataset."""
    from extract.choices.tubes import TubeChoices
    from extract.streams.tube_sampling import NUM_LAST_FRAMES, TubeSampling, usual_stride

    sampling = TubeSampling(
        num_frames=options.get("last_frames") or NUM_LAST_FRAMES,
        stride=options.get("clip_stride") or usual_stride(dataset or ""),
        views=options.get("views") or "flip",
    )
    return TubeChoices(
        sampling,
        options.get("tracker"),
        options.get("tracker_weights"),
        start=options.get("start"),
        init_box=parse_box(options.get("init_box")),
    )


def athlete_rule_of(options: dict[str, Any], *, dataset: str | None) -> "AthleteRule":
    """Return who is cropped: as the paper has it for the papers' datasets, else one who is followed."""
    from extract.detectors import AthleteRule

    box = parse_box(options.get("init_box"))
    pointed = options.get("start") is not None or box is not None
    usual = "followed" if dataset in OWN or pointed else "largest"
    athlete: Any = options.get("athlete") or usual
    return AthleteRule(athlete, options.get("start") or "largest", box)


def parse_box(text: str | None) -> tuple[float, ...] | None:
    """'1,2,30,40' -> (1.0, 2.0, 30.0, 40.0). Raises `BadParameter` for anything but numbers."""
    if text is None:
        return None
    try:
        return tuple(float(number) for number in text.split(","))
    except ValueError as error:
        raise click.BadParameter(
            f"{text!r}: expected 4 or 8 numbers with commas", param_hint="--init-box"
        ) from error


def folder_of_quads(tracker: str | None) -> Path | None:
    """Return the folder of `--tracker annotations:FOLDER`."""
    from aqa_pipeline.sources.compare import ANNOTATIONS

    kind, _, path = (tracker or "").partition(":")
    return Path(path) if kind == ANNOTATIONS and Path(path).is_dir() and path else None
