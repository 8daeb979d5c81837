"""From what a person chose, or what a run remembers, to streams that are ready to run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import NoReturn

from aqa_pipeline.errors import AqaError, SpecMismatch, UnknownName
from aqa_pipeline.records import StreamSpec
from aqa_pipeline.weights import WEIGHTS, check_weights
from extract.backbones import (
    BACKBONES,
    Framing,
    LoadedBackbone,
    Precision,
    Runtime,
    get_backbone,
    load_backbone,
)
from extract.detectors import AthleteRule, PersonDetector, load_detector
from extract.detectors.choose import official_weights as detector_weights
from extract.streams import (
    STREAMS,
    ClipSampling,
    Dtype,
    Parts,
    Rest,
    Stream,
    StreamKind,
    Variant,
    get_stream_kind,
)
from extract.streams.clip_sampling import Span, ViewChoice
from extract.trackers import TubeSource
from extract.tube_choices import TubeChoices, tubes_as_in


@dataclass(frozen=True)
class Choices:
    """What a person may choose about an extraction.

    `backbones` and `weights` are by stream name, with "" for all the others. Without a `batch_size` it is 2
    clips or 8 pictures on a CPU (its cache holds no more, and for a single clip torch takes a slower
    kernel), and 16 clips or 64 pictures on a GPU. Without a `dtype` it is the stream's own. `rest` is what
    becomes of the last, partial segment, `framing` what networks see of a whole frame.
    """

    variant: Variant = "paper"
    backbones: Mapping[str, str] | None = None
    weights: Mapping[str, str] | None = None
    detector: str = "yolo"
    device: str = "cpu"
    precision: Precision = "fp32"
    runtime: Runtime = "auto"
    batch_size: int | None = None
    dtype: Dtype | None = None
    clips: ClipSampling = field(default_factory=ClipSampling)
    tubes: TubeChoices = field(default_factory=TubeChoices)
    athlete: AthleteRule = field(default_factory=AthleteRule)
    rest: Rest = "dropped"
    framing: Framing = "center"


def parse_by_stream(values: Sequence[str], *, what: str) -> dict[str, str]:
    """['resnet18', 'segments=i3d'] -> {'': 'resnet18', 'segments': 'i3d'}."""
    chosen: dict[str, str] = {}
    for value in values:
        stream, separator, rest = value.partition("=")
        key, choice = (stream, rest) if separator and stream in STREAMS else ("", value)
        if separator and stream.isalpha() and stream not in STREAMS:
            raise UnknownName("stream", stream, STREAMS)
        if key in chosen:
            raise AqaError(f"{what} given twice for {key or 'all streams'}: {chosen[key]} and {choice}.")
        chosen[key] = choice
    return chosen


def build_streams(names: Sequence[str], choices: Choices, *, with_networks: bool = True) -> list[Stream]:
    """The named streams, their networks loaded; networks and detector are shared between streams.

    Without networks they can plan, prepare frames and find persons, but make no features.
    """
    load = _load if with_networks else _leave_out
    kinds = [get_stream_kind(name) for name in dict.fromkeys(names)]
    chosen = {kind.name: _backbone_name(kind, choices) for kind in kinds}
    for kind in kinds:
        kind.check(get_backbone(chosen[kind.name]), choices.clips)
    check_weights(_official_weights(kinds, chosen, choices, with_networks=with_networks))
    detector = cache(lambda: load_detector(choices.detector, device=choices.device))
    persons = detector() if any(kind.needs_person for kind in kinds) else None
    needs_tube = any(kind.needs_tube for kind in kinds)
    tubes = choices.tubes.load(detector, device=choices.device) if needs_tube else None
    loaded: dict[tuple[str, str], LoadedBackbone] = {}
    streams = []
    for kind in kinds:
        wanted = (chosen[kind.name], _weights(kind, choices))
        if wanted not in loaded:
            loaded[wanted] = load(*wanted, choices)
        streams.append(kind.build(_parts(kind, loaded[wanted], choices, detector=persons, tube_source=tubes)))
    return streams


def official_weights(names: Sequence[str], choices: Choices) -> list[str]:
    """Return the weights that `aqa weights` must have for these streams."""
    kinds = [get_stream_kind(name) for name in names]
    chosen = {kind.name: _backbone_name(kind, choices) for kind in kinds}
    return list(_official_weights(kinds, chosen, choices, with_networks=True))


def _official_weights(
    kinds: Sequence[StreamKind], backbones: Mapping[str, str], choices: Choices, *, with_networks: bool
) -> Iterator[str]:
    """Yield all weights that `aqa weights` must have, so that what is missing is told at once."""
    for kind in kinds:
        network = get_backbone(backbones[kind.name]).weights
        if with_networks and _weights(kind, choices) == "official" and network in WEIGHTS:
            yield network
        if kind.needs_person:
            yield from detector_weights(choices.detector)
        if kind.needs_tube:
            yield from choices.tubes.official_weights(choices.detector)


def rebuild_streams(specs: Sequence[StreamSpec], choices: Choices) -> list[Stream]:
    """Streams that make exactly these specs, to score a new video as the training videos were seen.

    What `choices` leaves open is taken from the specs; who is followed may be chosen anew. Raises `AqaError`
    for features that no video was made into here, and `SpecMismatch` where weights or detector at hand are
    not the ones that the specs name.
    """
    _check_made_here(specs)
    for spec in specs:
        _check_plugin(spec)
    kinds = [get_stream_kind(spec.stream) for spec in specs]
    wanted = [_as_in(spec, kind, choices) for spec, kind in zip(specs, kinds, strict=True)]
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
    return _official_weights([kind], {kind.name: _backbone_name(kind, choices)}, choices, with_networks=True)


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
        weights={kind.name: _weights(kind, choices, otherwise=of_run)},
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


def _backbone_name(kind: StreamKind, choices: Choices) -> str:
    chosen = choices.backbones or {}
    if kind.name in chosen:
        return _fitting(kind, chosen[kind.name])
    common = chosen.get("")
    if common and get_backbone(common).takes == kind.takes:
        return common
    return kind.default_backbone


def _fitting(kind: StreamKind, name: str) -> str:
    if get_backbone(name).takes != kind.takes:
        raise AqaError(f"stream {kind.name} needs a backbone that takes a {kind.takes}; {name} does not.")
    return name


def _weights(kind: StreamKind, choices: Choices, *, otherwise: str = "official") -> str:
    chosen = choices.weights or {}
    return chosen.get(kind.name, chosen.get("", otherwise))


def _load(name: str, weights: str, choices: Choices) -> LoadedBackbone:
    return load_backbone(
        name,
        weights=weights,
        preprocess=get_backbone(name).preprocess_name(choices.variant, choices.framing),
        device=choices.device,
        precision=choices.precision,
        runtime=choices.runtime,
    )


def _leave_out(name: str, weights: str, choices: Choices) -> LoadedBackbone:
    """The backbone's preprocessing without its network, so that no weights are needed."""
    from extract.backbones.preprocess import get_preprocess

    backbone = get_backbone(name)
    preprocess = get_preprocess(backbone.preprocess_name(choices.variant, choices.framing))
    return LoadedBackbone(backbone, preprocess, "not loaded", "cpu", choices.precision, _no_network)


def _no_network() -> NoReturn:
    raise AqaError("these streams were built to look at frames, without networks")


def _parts(
    kind: StreamKind,
    backbone: LoadedBackbone,
    choices: Choices,
    *,
    detector: PersonDetector | None,
    tube_source: TubeSource | None,
) -> Parts:
    on_cpu = choices.device == "cpu"
    usual = {"clip": 2 if on_cpu else 16, "image": 8 if on_cpu else 64}[kind.takes]
    return Parts(
        backbone=backbone,
        detector=detector,
        batch_size=choices.batch_size or usual,
        dtype=choices.dtype or kind.default_dtype,
        clips=choices.clips,
        athlete=choices.athlete,
        tubes=choices.tubes.sampling,
        tube_source=tube_source,
        variant=choices.variant,
        rest=choices.rest,
    )
