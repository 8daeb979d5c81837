"""The options of `aqa score` that say how a new video is extracted. Importing this imports nothing heavy."""

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aqa_pipeline.commands.options import network_options, reader_option, together
from extract.commands.parse_options import parse_new_video_options
from extract.commands.tube_options import tracker_options

if TYPE_CHECKING:
    from extract.choices.options import AthleteOptions
    from extract.streams import Stream

NAMES = (
    "detector",
    "tracker",
    "tracker_weights",
    "start",
    "init_box",
    "weights",
    "device",
    "batch_size",
    "runtime",
    "reader",
)

_options = together(
    click.option("--detector", metavar="KIND[:MODEL]", help="Person detector.  [default: the run's]"),
    tracker_options(otherwise="the run's"),
    network_options(otherwise="the run's"),
    reader_option,
)


def new_video_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command, which gets them as one record, its argument `extraction`."""

    @wraps(command)
    def with_record(*args: Any, **values: Any) -> Any:
        taken = {name: values.pop(name) for name in NAMES}
        return command(*args, extraction=parse_new_video_options(taken), **values)

    return _options(with_record)


def check_athlete_options(
    options: "AthleteOptions", streams: Sequence["Stream"], *, boxes: Path | None
) -> None:
    """Raise `UsageError` for an option about the athlete that these streams of a run do not read."""
    from aqa_pipeline.spec_facts import typed_facts

    facts = [typed_facts(each.spec) for each in streams]
    finders = [finder for each in facts for finder in (each.detector, each.tracker) if finder]
    is_pointed = any(each.start == "pointed" for each in facts)
    if boxes and not is_pointed and not any(finder.startswith("annotations") for finder in finders):
        raise click.UsageError(
            "--boxes are for runs whose detector or tracker is `annotations`, or whose start is `pointed`; "
            "this run's: "
            f"{', '.join(finders) or 'none'}."
        )
    tracking = {"--tracker": options.tracker, "--tracker-weights": options.tracker_weights}
    given = [name for name, value in tracking.items() if value]
    if given and not any(each.tracker for each in facts):
        raise click.UsageError(f"{', '.join(given)}: this run's streams follow nobody.")
    named = [name for name, value in (("--start", options.start), ("--init-box", options.init_box)) if value]
    if named and not any(each.start is not None for each in facts):
        raise click.UsageError(
            f"{', '.join(named)}: this run follows nobody from a start. "
            "Its tubes are read from disk, or its crops show the largest person."
        )
    if options.detector and not any(each.detector is not None for each in facts):
        raise click.UsageError(
            f"--detector: the run reads {', '.join(each.spec.stream for each in streams)}, "
            "which need no detector."
        )
