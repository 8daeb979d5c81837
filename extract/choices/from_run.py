"""Build streams that make the features of a run's specs of a new video."""

import re
from collections.abc import Iterator, Mapping, Sequence

from aqa_pipeline.backbones import backbone_origin, get_backbone
from aqa_pipeline.errors import AqaError, SpecMismatch, UnknownName
from aqa_pipeline.records import StreamSpec
from aqa_pipeline.spec_facts import ExtractedFacts, SpecFacts, extracted_facts, typed_facts
from aqa_pipeline.weights import check_weights
from extract.choices.named_files import with_named_files
from extract.choices.networks import network_name
from extract.choices.options import AthleteOptions, InputOptions, StreamOptions
from extract.choices.streams import build_streams, official_weights_of
from extract.streams import Rest, Stream, StreamKind, get_stream_kind
from extract.streams.clip_sampling import VIEWS as CLIP_VIEWS
from extract.streams.tube_sampling import VIEWS
from extract.trackers import Rules


def rebuild_streams(
    specs: Sequence[StreamSpec],
    options: StreamOptions,
    *,
    files: Mapping[str, Mapping[str, str]] | None = None,
) -> list[Stream]:
    """Return streams that make exactly these specs, to extract a new video like the training videos.

    What `options` leave open is taken from the specs; another athlete may be named. `files` are those that a
    person named when the features were made, by stream (see `named_files`); they are tried first. Raise
    `AqaError` for features that were not extracted here, and `SpecMismatch` where weights or detector at
    hand are not the ones that the specs name.
    """
    _check_made_here(specs)
    for spec in specs:
        _check_plugin(spec)
    kinds = [get_stream_kind(spec.stream) for spec in specs]
    chosen = [with_named_files(spec, options, (files or {}).get(spec.stream, {})) for spec in specs]
    wanted = [_as_in(*each) for each in zip(specs, kinds, chosen, strict=True)]
    check_weights(name for kind, each in zip(kinds, wanted, strict=True) for name in _official_of(kind, each))
    streams = []
    for spec, kind, each in zip(specs, kinds, wanted, strict=True):
        (stream,) = _build_again(spec, kind, each)
        if not stream.spec.serves_for(spec):
            raise SpecMismatch(
                f"the {spec.stream} of this run were made another way (run != here): "
                f"{'; '.join(spec.differences(stream.spec))}. Name the run's weights, detector and "
                "tracker with --weights, --detector and --tracker."
            )
        streams.append(stream)
    return streams


def _check_made_here(specs: Sequence[StreamSpec]) -> None:
    others = [spec for spec in specs if spec.imported or spec.simulated]
    if others:
        raise AqaError(
            f"the run learned from {' and '.join(spec.in_words for spec in others)}: a video cannot be made "
            "into such features here. Score features that were made the same way, with "
            "`aqa score --features FILE`."
        )


def _check_plugin(spec: StreamSpec) -> None:
    """Raise `SpecMismatch` if the network is a plug-in's that is missing here or differs."""
    if get_stream_kind(spec.stream).takes == "nothing":
        return
    facts = extracted_facts(spec)
    name, wanted = facts.backbone, facts.plugin
    origin = backbone_origin(name)
    if wanted != (origin.identity if origin else None):
        here = f"here it is of {origin}" if origin else "which is not here"
        raise SpecMismatch(
            f"the run's {spec.stream} were made with the backbone {name!r} "
            f"{f'of a plug-in ({wanted})' if wanted else 'of no plug-in'}, {here}. "
            "Name the run's own file with --plugin FILE.py, or install its package."
        )


def _official_of(kind: StreamKind, options: StreamOptions) -> Iterator[str]:
    return official_weights_of([kind], {kind.name: network_name(kind, options)}, options, with_networks=True)


def _build_again(spec: StreamSpec, kind: StreamKind, options: StreamOptions) -> list[Stream]:
    try:
        return build_streams([kind.name], options)
    except UnknownName as error:
        raise AqaError(
            f"the run's {spec.stream} were made with the detector {typed_facts(spec).detector}: {error} "
            "Name that very detector with --detector, such as --detector yolo:PATH."
        ) from error


def _as_in(spec: StreamSpec, kind: StreamKind, options: StreamOptions) -> StreamOptions:
    """Return the options that make the spec again, with what may be chosen anew as in `options`."""
    if kind.takes == "nothing":
        return _pixels_as_in(typed_facts(spec), options)
    facts = extracted_facts(spec)
    of_run = facts.weights if facts.weights.startswith("random:") else "official"
    networks = options.networks.changed(
        backbones={kind.name: facts.backbone},
        weights={kind.name: options.networks.weights_of(kind.name, otherwise=of_run)},
        precision=facts.precision,
    )
    return options.changed(
        networks=networks,
        inputs=_inputs_as_in(spec, facts),
        athlete=_athlete_as_in(facts, options.athlete),
        dtype=facts.dtype,
    )


def pixel_inputs(facts: SpecFacts) -> InputOptions:
    """Return the inputs that make the stream pixels with these facts again."""
    size = None if facts.width is None or facts.height is None else (facts.width, facts.height)
    return InputOptions(
        picture_size=size,
        last_frames=facts.num_frames,
        pixel_rate=facts.rate_fps,
        jpeg_quality=facts.quality,
    )


def _pixels_as_in(facts: SpecFacts, options: StreamOptions) -> StreamOptions:
    athlete = _athlete_as_in(facts, options.athlete)
    if facts.tracker is None:
        athlete = athlete.changed(tracker=None)
    return options.changed(inputs=pixel_inputs(facts), athlete=athlete)


def _inputs_as_in(spec: StreamSpec, facts: ExtractedFacts) -> InputOptions:
    if spec.stream == "poses":
        return InputOptions(pose_rate=facts.rate_fps)
    variant, framing = get_backbone(facts.backbone).choices_of(facts.preprocess)
    rest: Rest = "padded" if facts.rest == "padded" else "dropped"
    inputs = InputOptions(variant=variant, framing=framing, rest=rest)
    if spec.stream == "clips":
        span = next((each for each in CLIP_VIEWS if each == facts.span), None)
        return inputs.changed(span=span, views="reference" if len(spec.views) == 1 else "all")
    if spec.stream == "tubes":
        by_views = {tuple(view.name for view in views): name for name, views in VIEWS.items()}
        views = by_views.get(spec.views)  # unknown ones differ from the spec right after
        return inputs.changed(last_frames=facts.num_frames, clip_stride=facts.stride, views=views)
    return inputs


def _athlete_as_in(facts: SpecFacts, athlete: AthleteOptions) -> AthleteOptions:
    detector = athlete.detector or (facts.detector or "").partition(" ")[0] or None
    athlete = athlete.changed(detector=detector, person=None)
    if facts.tracker is not None:
        random = re.search(r"random:\d+", facts.tracker)
        return athlete.changed(
            tracker=athlete.tracker or facts.tracker.partition(" ")[0],
            tracker_weights=athlete.tracker_weights or (random[0] if random else None),
            rules=_rules_as_in(facts),
        )
    if facts.person != "followed":
        return athlete.changed(start=None, init_box=None)
    start, box = athlete.start or facts.start, athlete.init_box or _parse_box(facts.init_box)
    return athlete.changed(person="followed", start=start, init_box=box)


def _rules_as_in(facts: SpecFacts) -> Rules:
    """Return the rules of a tracker; quads from disk have none."""
    start, look, again, missed = facts.start, facts.look_seconds, facts.again_seconds, facts.missed_looks
    if start is None or look is None or again is None or missed is None:
        return Rules()
    return Rules(
        start=start,  # type: ignore[arg-type]  # checked by Rules
        init_box=_parse_box(facts.init_box),
        doubt_below=facts.doubt_below,
        look_seconds=look,
        again_seconds=again,
        missed_looks=missed,
    )


def _parse_box(fact: str | None) -> tuple[float, ...] | None:
    """Return '1,2,30,40' as (1.0, 2.0, 30.0, 40.0), and None as None."""
    return None if fact is None else tuple(float(number) for number in fact.split(","))
