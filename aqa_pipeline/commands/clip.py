"""`aqa clip`: a part of a video as a film of its own."""

from pathlib import Path

import click

from aqa_pipeline.commands.options import EXISTING, example
from aqa_pipeline.commands.outputs import OUTPUT_FILE
from aqa_pipeline.commands.times import parse_interval


@click.command(epilog=example("aqa clip my-routine.mp4 --clip 6.4-9.6 --slow 0.25 --out jump.mp4"))
@click.argument("video", type=EXISTING)
@click.option(
    "--clip",
    "interval",
    required=True,
    metavar="START-STOP",
    help="Seconds of the video, such as 6.4-9.6, or minutes and seconds, such as 1:06.4-1:09.6.",
)
@click.option(
    "--slow",
    type=click.FloatRange(0.01, 1),
    default=1.0,
    show_default=True,
    help="Speed of the clip: 0.25 is four times slower. No frame is made up.",
)
@click.option("--fps", type=click.FloatRange(0, min_open=True), help="Frame rate of a folder of pictures.")
@click.option(
    "--out",
    "-o",
    type=OUTPUT_FILE,
    metavar="OUT.mp4",
    help="The new file.  [default: named after video and time]",
)
def clip(video: Path, interval: str, slow: float, fps: float | None, out: Path | None) -> None:
    """Write a part of VIDEO as a film of its own, which browsers play.

    The clip has every frame that a player shows from START to STOP, and no sound. Times are those of the
    score page. No file is ever overwritten.
    """
    from aqa_pipeline.encoding.excerpt import write_excerpt
    from aqa_pipeline.encoding.film import OTHER_ENCODER, find_encoder
    from aqa_pipeline.plurals import counted
    from aqa_pipeline.records import Video

    start, stop = parse_interval(interval)
    if video.is_dir() != (fps is not None):
        raise click.UsageError("--fps is for folders of pictures, and these need it.")
    out = out or Path(_usual_name(video, interval, slow))
    if out.suffix.lower() != ".mp4":
        raise click.UsageError(f"--out {out}: the clip is an mp4; give it a name that ends in .mp4.")
    encoder = find_encoder()
    source = Video(video.stem, video, fps=fps)
    written = write_excerpt(source, out, start=start, stop=stop, speed=slow, encoder=encoder)
    frames = counted(written.num_frames, "frame")
    click.echo(f"Written: {out}, {frames} in {written.seconds:.2f} s, {written.width}x{written.height}")
    if encoder == OTHER_ENCODER:
        click.secho(
            "PyAV has no h264 encoder here, so the clip is MPEG-4 Part 2, which browsers may not play. "
            "PyAV's own wheels have libx264: pip install --force-reinstall av",
            fg="yellow",
            err=True,
        )


def _usual_name(video: Path, interval: str, slow: float) -> str:
    slower = f"-slow-{slow:g}" if slow < 1 else ""
    return f"{video.stem}-{interval.strip().replace(':', '.')}{slower}.mp4"
