"""From what a run remembers to streams that make the same features of a new video."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from aqa_pipeline.backbones import BACKBONES, get_backbone
from aqa_pipeline.errors import AqaError, SpecMismatch, UnknownName
from aqa_pipeline.records import StreamSpec
from aqa_pipeline.weights import check_weights
from extract.choices.named_files import with_named_files
from extract.choices.streams import Choices, backbone_name, build_streams, official_weights_of
from extract.choices.tubes import tubes_as_in
from extract.detectors import AthleteRule
from extract.streams import ClipSampling, Stream, StreamKind, get_stream_kind
from extract.streams.clip_sampling import Span, ViewChoice


def rebuild_streams(
    specs: Sequence[StreamSpec], choices: Choices, *, files: Mapping[str, Mapping[str, str]] | None = None
) -> list[Stream]:
    """Streams that make exactly these specs, to score a new video as the training videos were seen.

    `files` are those that a person named when the features were made, by stream (see `named_files`); they
    are tried first. What `choices` leaves open is taken from the specs; who is followed may be chosen anew.
    Raises `AqaError` for features that no video was made into here, and `SpecMismatch` where weights or
    detector at hand are not the ones that the specs name.
    """
    _check_made_here(specs)
    for spec in specs:
        _check_plugin(spec)
    kinds = [get_stream_kind(spec.stream) for spec in specs]
    chosen = [with_named_files(spec, choices, (files or {}).get(spec.stream, {})) for spec in specs]
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
    """Raise `SpecMismatch` where the network is a plug-in's that is not at hand, or another one is."""
    name = str(spec.facts["backbone"])
    origin, wanted = BACKBONES.origin(name), spec.facts.get("plugin")
    if wanted != (origin.identity if origin else None):
        here = f"here it is of {origin}" if origin else "which is not here"
        raise SpecMismatch(
            f"the run's {spec.stream} were made with the backbone {name!r} "
            f"{f'of a plug-in ({wanted})' if wanted else 'of no plug-in'}, {here}. "
            "Name the run's own file with --plugin FILE.py, or install its package."
        )


def _official_of(kind: StreamKind, choices: Choices) -> Iterator[str]:
    return official_weights_of([kind], {kind.name: backbone_name(kind, choices)}, choices, with_networks=True)


def _build_again(spec: StreamSpec, kind: StreamKind, choices: Choices) -> list[Stream]:
    try:
        return build_streams([kind.name], choices)
    except UnknownName as error:
        raise AqaError(
            f"the run's {spec.stream} were made with the detector {spec.facts.get('detector')}: {error} "
            "Name that very detector with --detector, such as --detector yolo:PATH."
        ) from error


def _as_in(spec: StreamSpec, kind: StreamKind, choices: Choices) -> Choices:
    facts = {name: str(value) for name, value in spec.facts.items()}
    variant, framing = get_backbone(facts["backbone"]).choices_of(facts["preprocess"])
    of_run = facts["weights"] if facts["weights"].startswith("random:") else "official"
    return replace(
        choices,
        variant=variant,
        backbones={kind.name: facts["backbone"]},
        weights={kind.name: choices.weights_of(kind.name, otherwise=of_run)},
        detector=choices.detector or facts.get("detector", "").partition(" ")[0],
        precision=facts["precision"],  # type: ignore[arg-type]  # checked where the backbone is loaded
        dtype=facts["dtype"],  # type: ignore[arg-type]  # compared with the spec right after
        clips=_clips_as_in(spec),
        tubes=tubes_as_in(spec, choices.tubes),
        athlete=_athlete_as_in(spec, choices),
        rest="padded" if facts.get("rest") == "padded" else "dropped",
        framing=framing,
    )


def _clips_as_in(spec: StreamSpec) -> ClipSampling:
    """How the spec's clips were cut; of other streams, the usual way."""
    usual = ClipSampling()
    span: Span = "whole" if spec.facts.get("span") == "whole" else usual.span
    views: ViewChoice = "reference" if len(spec.views) == 1 else usual.views
    return ClipSampling(span, views)


def _athlete_as_in(spec: StreamSpec, choices: Choices) -> AthleteRule:
    """Return who is cropped as in the spec; a followed athlete may be pointed at anew."""
    if spec.facts.get("person") != "followed":
        return AthleteRule()
    box = spec.facts.get("init_box")
    of_run = tuple(float(number) for number in box.split(",")) if isinstance(box, str) else None
    start = choices.tubes.start or spec.facts.get("start")
    return AthleteRule("followed", start, choices.tubes.init_box or of_run)  # type: ignore[arg-type]
