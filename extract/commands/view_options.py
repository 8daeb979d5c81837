"""Options on what of a video the networks see. Importing this imports nothing heavy."""

import click

from aqa_pipeline.commands.options import together

view_options = together(
    click.option(
        "--clips",
        "span",
        type=click.Choice(["last-96", "whole", "middle"]),
        help="Stream clips: the 96 frames up to the end, the whole video, or the full clips in its middle, "
        "where either end loses half of the frames left over.  [default: last-96]",
    ),
    click.option(
        "--rest",
        type=click.Choice(["padded", "dropped"]),
        help="Stream segments: pad a last segment that is not full with its last frame, or drop it.  "
        "[default: padded for your own videos, dropped for the papers' datasets]",
    ),
    click.option(
        "--framing",
        type=click.Choice(["center", "whole"]),
        default="center",
        show_default=True,
        help="Part of a whole frame that networks see: the central part, as in the papers, or the whole "
        "frame, squeezed into a square.",
    ),
    click.option(
        "--pose-rate",
        type=click.FloatRange(min=0, min_open=True),
        help="Stream poses: number of poses a second.  [default: 5]",
    ),
    click.option(
        "--views",
        type=click.Choice(["all", "flip", "reference"]),
        help="Streams clips and tubes: every end frame and flip that training draws from, the flip alone "
        "(tubes), or the one view that is tested.  [default: all; for tubes flip]",
    ),
)
