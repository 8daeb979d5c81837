"""Options of tracked streams and of crops. Importing this imports nothing heavy."""

import click

from aqa_pipeline.commands.options import Decorator, together


def tracker_options(*, otherwise: str | None = None) -> Decorator:
    """Return the options on who is followed, and by whom; `otherwise` is their default in the help."""

    def default(usual: str) -> str:
        return f"  [default: {otherwise or usual}]"

    return together(
        click.option(
            "--tracker",
            metavar="KIND[:SETTING]",
            help="Streams tubes and pixels: tracker of the athlete: siammask, siammask:vot, siammask:vot-ld, "
            "nano, vit, or annotations[:JSON or folder of CSV] (quads from disk)."
            f"{default('siammask; for pixels none')}",
        ),
        click.option(
            "--tracker-weights",
            metavar="official|random:SEED|PATH",
            help=f"Weights of the tracker.{default('official')}",
        ),
        click.option(
            "--start",
            type=click.Choice(["largest", "central", "pointed"]),
            help="Tracked streams and followed crops: person to follow, of the first frame with persons. "
            "pointed: the person in the one box of boxes/<id>.csv, else the largest."
            f"{default('pointed for your own videos, else largest')}",
        ),
        click.option(
            "--init-box",
            metavar="X1,Y1,X2,Y2",
            help="Tracked streams and followed crops: box of the athlete in the first frame, in pixels; 4 "
            f"numbers, or 8 of corners.{default('from --detector')}",
        ),
    )


tube_options = together(
    tracker_options(),
    click.option(
        "--athlete",
        type=click.Choice(["largest", "followed"]),
        help="Stream crops: largest person of every frame, or one person who is followed through the video.  "
        "[default: followed for your own videos, largest for the papers' datasets]",
    ),
    click.option(
        "--last-frames",
        type=click.IntRange(16),
        help="Streams tubes and pixels: number of frames up to the end. Tubes read a shorter video whole; "
        "pixels then begin with copies of its first frame.  [default: 103; for pixels 109]",
    ),
    click.option(
        "--clip-stride",
        type=click.IntRange(1, 16),
        help="Stream tubes: number of frames from clip to clip.  [default: 10; for fr-fs 16]",
    ),
)
