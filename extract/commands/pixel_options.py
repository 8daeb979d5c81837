"""Options of the stream `pixels`. Importing this imports nothing heavy."""

import click

from aqa_pipeline.commands.options import together

pixel_options = together(
    click.option(
        "--pixels",
        is_flag=True,
        help="With --for: extract the frames that the head's network is trained on in the paper, not the "
        "head's features. For a head that needs tubes, the athlete is tracked.",
    ),
    click.option(
        "--picture-size",
        metavar="WxH",
        help="Stream pixels: size of the stored pictures; frames are resized to it without a crop.  "
        "[default: 171x128]",
    ),
    click.option(
        "--pixel-rate",
        type=click.FloatRange(min=0, min_open=True),
        metavar="FPS",
        help="Stream pixels: store the whole video at this rate.  [default: the last frames, --last-frames]",
    ),
    click.option(
        "--jpeg",
        "jpeg_quality",
        type=click.IntRange(1, 100),
        metavar="QUALITY",
        help="Stream pixels: store JPEG files of this quality, 1 to 100.  [default: raw pixels]",
    ),
)
