"""From the values of click's options to the typed records of `extract.choices.options`.

Importing this module imports nothing heavy.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from aqa_pipeline.commands.next_step import HeadInputs
from aqa_pipeline.commands.options import parse_names
from aqa_pipeline.errors import AqaError, UnknownName

if TYPE_CHECKING:
    from extract.choices.options import ExtractOptions, NewVideoOptions, StreamOptions

Values = Mapping[str, Any]  # what click parsed, by parameter


def parse_extract_options(values: Values, inputs_of: HeadInputs) -> "ExtractOptions":
    """Return the options of `aqa extract`. Raise `UsageError` or `AqaError` for values that do not fit."""
    from extract.choices.options import DecodingOptions, EngineOptions, ExtractOptions, VideoSelection

    values = _with_pixels_of_head(values, inputs_of)
    return ExtractOptions(
        streams=_stream_names(values, inputs_of),
        stream_options=parse_stream_options(values),
        videos=VideoSelection(ids=parse_names(values["videos"]), limit=values["limit"]),
        decoding=DecodingOptions(
            reader=values["reader"],
            workers=values["workers"],
            silence_seconds=values["timeout"],
            total_seconds=values["time_limit"],
        ),
        engine=EngineOptions(name=values["engine"], address=values["ray_address"], actors=values["actors"]),
        overwrite=values["overwrite"],
        contact_sheet=values["contact_sheet"],
    )


def parse_new_video_options(values: Values) -> "NewVideoOptions":
    """Return the options of `aqa score` that say how videos are extracted. Raise as above."""
    from extract.choices.options import NewVideoOptions

    return NewVideoOptions(stream_options=parse_stream_options(values), reader=values["reader"])


def parse_stream_options(values: Values) -> "StreamOptions":
    """Return how streams are made; options that the command does not have are left open."""
    from extract.choices.options import AthleteOptions, InputOptions, NetworkOptions, StreamOptions

    return StreamOptions(
        networks=NetworkOptions(
            backbones=parse_by_stream(values.get("backbone", ()), option="--backbone"),
            weights=parse_by_stream(values.get("weights", ()), option="--weights"),
            **_named(values, "device", "precision", "runtime", "batch_size"),
        ),
        inputs=InputOptions(
            **_named(
                values,
                "variant",
                "framing",
                "rest",
                "span",
                "views",
                "last_frames",
                "clip_stride",
                "pose_rate",
                "pixel_rate",
                "jpeg_quality",
            ),
            picture_size=parse_size(values.get("picture_size")),
        ),
        athlete=AthleteOptions(
            person=values.get("athlete"),
            init_box=parse_box(values.get("init_box")),
            **_named(values, "detector", "tracker", "tracker_weights", "start"),
        ),
        dtype=values.get("dtype"),
        **_named(values, "preset"),
    )


def _named(values: Values, *names: str) -> dict[str, Any]:
    return {name: values[name] for name in names if name in values}


def _stream_names(values: Values, inputs_of: HeadInputs) -> tuple[str, ...]:
    if values["streams"] and values["head"]:
        raise click.UsageError("--for and --streams exclude each other.")
    if values["streams"]:
        return parse_names(values["streams"])
    return tuple(inputs_of(values["head"] or "action-net"))


def _with_pixels_of_head(values: Values, inputs_of: HeadInputs) -> Values:
    """Return the values with those that --pixels stands for; options that were given stay."""
    if not values.get("pixels"):
        return values
    head = values["head"]
    if head is None or values["streams"]:
        raise click.UsageError("--pixels is for --for, such as --for wd --pixels; or name --streams pixels.")
    from extract.choices.picture_sizes import picture_size_of_head
    from extract.choices.streams import USUAL_TRACKER

    size = "x".join(map(str, picture_size_of_head(head, inputs_of(head))))
    tracker = USUAL_TRACKER if inputs_of.reads_tubes(head) else None
    return {
        **values,
        "head": None,
        "streams": "pixels",
        "picture_size": values["picture_size"] or size,
        "tracker": values["tracker"] or tracker,
    }


def parse_size(text: str | None) -> tuple[int, int] | None:
    """Return '171x128' as (171, 128); raise `BadParameter` for anything but a width and a height."""
    if text is None:
        return None
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise click.BadParameter(
            f"{text!r}: expected width x height, such as 171x128", param_hint="--picture-size"
        )
    return int(width), int(height)


def parse_by_stream(texts: Sequence[str], *, option: str) -> dict[str, str]:
    """Return values by stream: ['resnet18', 'segments=i3d'] -> {'': 'resnet18', 'segments': 'i3d'}.

    Raise `UnknownName` for an unknown stream, and `AqaError` for a stream that is named twice.
    """
    from extract.streams import STREAMS

    by_stream: dict[str, str] = {}
    for text in texts:
        stream, separator, rest = text.partition("=")
        key, value = (stream, rest) if separator and stream in STREAMS else ("", text)
        if separator and stream.isalpha() and stream not in STREAMS:
            raise UnknownName("stream", stream, STREAMS)
        if key in by_stream:
            raise AqaError(
                f"{option} is given twice for {key or 'all streams'}: {by_stream[key]} and {value}."
            )
        by_stream[key] = value
    return by_stream


def parse_box(text: str | None) -> tuple[float, ...] | None:
    """Return '1,2,30,40' as (1.0, 2.0, 30.0, 40.0); raise `BadParameter` for anything but numbers."""
    if text is None:
        return None
    try:
        return tuple(float(number) for number in text.split(","))
    except ValueError as error:
        raise click.BadParameter(
            f"{text!r}: expected 4 or 8 numbers with commas", param_hint="--init-box"
        ) from error


def check_streams_read(options: "StreamOptions", streams: Sequence[str]) -> None:
    """Raise `UsageError` for a given option that none of the streams reads."""
    inputs, athlete = options.inputs, options.athlete
    given: dict[tuple[str, ...], dict[str, object]] = {
        ("segments",): {"--rest": inputs.rest},
        ("poses",): {"--pose-rate": inputs.pose_rate},
        ("crops", "poses"): {"--athlete": athlete.person},
        ("clips",): {"--clips": inputs.span},
        ("clips", "tubes"): {"--views": inputs.views},
        ("tubes",): {"--clip-stride": inputs.clip_stride},
        ("tubes", "pixels"): {
            "--tracker": athlete.tracker,
            "--tracker-weights": athlete.tracker_weights,
            "--last-frames": inputs.last_frames,
        },
        ("pixels",): {
            "--picture-size": inputs.picture_size,
            "--pixel-rate": inputs.pixel_rate,
            "--jpeg": inputs.jpeg_quality,
        },
        ("tubes", "crops", "poses", "pixels"): {"--start": athlete.start, "--init-box": athlete.init_box},
    }
    for readers, values in given.items():
        useless = [option for option, value in values.items() if value is not None]
        if useless and not set(readers) & set(streams):
            raise click.UsageError(
                f"{', '.join(useless)}: for the stream {' or '.join(readers)}, not for {', '.join(streams)}."
            )
    _check_network_read(options, streams)
    if "clips" in streams and inputs.views == "flip":
        raise click.UsageError("--views flip is for the stream tubes; clips have all views or the reference.")


def _check_network_read(options: "StreamOptions", streams: Sequence[str]) -> None:
    """Raise `UsageError` for an option of networks if none of the streams has a network."""
    from extract.streams import STREAMS

    networks = options.networks
    values = {
        "--backbone": networks.backbones or None,
        "--weights": networks.weights or None,
        "--dtype": options.dtype,
    }
    given = [option for option, value in values.items() if value is not None]
    without = [name for name, kind in STREAMS.items() if kind.takes == "nothing"]
    if given and set(streams) <= set(without):
        raise click.UsageError(f"{', '.join(given)}: the stream {', '.join(streams)} has no network.")


def check_pixels_tracked(options: "StreamOptions", streams: Sequence[str]) -> None:
    """Raise `UsageError` for options on whom to follow in pixels if no tracker is named."""
    athlete = options.athlete
    is_tracked = "tubes" in streams or ("pixels" in streams and athlete.tracker is not None)
    are_found = is_tracked or bool({"crops", "poses"} & set(streams))
    useless = [] if is_tracked or athlete.tracker_weights is None else ["--tracker-weights"]
    named = {"--start": athlete.start, "--init-box": athlete.init_box}
    useless += [option for option, value in named.items() if value is not None and not are_found]
    if useless:
        raise click.UsageError(
            f"{', '.join(useless)}: the stream pixels is tracked where --tracker names a tracker, such as "
            "--tracker siammask."
        )
