"""Options on what of a video the networks see. Importing this imports nothing heavy."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from aqa_pipeline.commands.options import together
from extract.commands.tube_options import OWN

if TYPE_CHECKING:
    from extract.streams import Rest

view_options = together(
    click.option(
        "--clips",
        "span",
        type=click.Choice(["last-96", "whole"]),
        help="Stream clips: the 96 frames up to the end, or the whole video.  [default: last-96]",
    ),
    click.option(
        "--rest",
        type=click.Choice(["padded", "dropped"]),
        help="Stream segments: keep a last segment that is not full, its last frame repeated, or drop it.  "
        "[default: padded for your own videos, dropped for the papers' datasets]",
    ),
    click.option(
        "--framing",
        type=click.Choice(["center", "whole"]),
        default="center",
        show_default=True,
        help="What networks see of a whole frame: the central part that the papers cut out, or everything, "
        "squeezed into a square.",
    ),
    click.option(
        "--views",
        type=click.Choice(["all", "flip", "reference"]),
        help="Streams clips and tubes: every end frame and flip that training draws from, the flip alone "
        "(tubes), or the one view that is tested.  [default: all; for tubes flip]",
    ),
)


def rest_of(options: dict[str, Any], *, dataset: str | None) -> "Rest":
    """Return what becomes of the last, partial segment: papers' datasets drop it, your own videos keep it."""
    return options.get("rest") or ("padded" if dataset in OWN else "dropped")


def check_view_options(options: dict[str, Any], streams: Sequence[str]) -> None:
    """Raise `UsageError` for an option that no chosen stream reads."""
    chosen = ", ".join(streams)
    if "clips" not in streams and options["span"]:
        raise click.UsageError(f"--clips is for the stream clips, not for {chosen}.")
    if "segments" not in streams and options["rest"]:
        raise click.UsageError(f"--rest is for the stream segments, not for {chosen}.")
    if not {"clips", "tubes"} & set(streams) and options["views"]:
        raise click.UsageError(f"--views is for the streams clips and tubes, not for {chosen}.")
    if "clips" in streams and options["views"] == "flip":
        raise click.UsageError("--views flip is for the stream tubes; clips have all views or the reference.")
