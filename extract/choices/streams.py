"""From what a person chose, or what a run remembers, to streams that are ready to run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NoReturn

from aqa_pipeline.backbones import Framing, get_backbone
from aqa_pipeline.errors import AqaError, UnknownName
from aqa_pipeline.weights import WEIGHTS, check_weights
from extract.choices.tubes import TubeChoices
from extract.detectors import AthleteRule, PersonDetector, load_detector
from extract.detectors.choose import official_weights as detector_weights
from extract.runtimes import Precision, Runtime
from extract.runtimes.load_backbone import LoadedBackbone, load_backbone
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
from extract.trackers import TubeSource


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

    def weights_of(self, stream: str, *, otherwise: str = "official") -> str:
        """Return the weights of the network of that stream."""
        chosen = self.weights or {}
        return chosen.get(stream, chosen.get("", otherwise))


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
    """Return the named streams, their networks loaded; networks and detector are shared between streams.

    Without networks they can plan, prepare frames and find persons, but make no features.
    """
    load = _load if with_networks else _leave_out
    kinds = [get_stream_kind(name) for name in dict.fromkeys(names)]
    chosen = {kind.name: backbone_name(kind, choices) for kind in kinds}
    for kind in kinds:
        kind.check(get_backbone(chosen[kind.name]), choices.clips)
    check_weights(official_weights_of(kinds, chosen, choices, with_networks=with_networks))
    detector = cache(lambda: load_detector(choices.detector, device=choices.device))
    persons = detector() if any(kind.needs_person for kind in kinds) else None
    needs_tube = any(kind.needs_tube for kind in kinds)
    tubes = choices.tubes.load(detector, device=choices.device) if needs_tube else None
    loaded: dict[tuple[str, str], LoadedBackbone] = {}
    streams = []
    for kind in kinds:
        wanted = (chosen[kind.name], choices.weights_of(kind.name))
        if wanted not in loaded:
            loaded[wanted] = load(*wanted, choices)
        streams.append(kind.build(_parts(kind, loaded[wanted], choices, detector=persons, tube_source=tubes)))
    return streams


def official_weights(names: Sequence[str], choices: Choices) -> list[str]:
    """Return the weights that `aqa weights` must have for these streams."""
    kinds = [get_stream_kind(name) for name in names]
    chosen = {kind.name: backbone_name(kind, choices) for kind in kinds}
    return list(official_weights_of(kinds, chosen, choices, with_networks=True))


def official_weights_of(
    kinds: Sequence[StreamKind], backbones: Mapping[str, str], choices: Choices, *, with_networks: bool
) -> Iterator[str]:
    """Yield all weights that `aqa weights` must have, so that what is missing is told at once."""
    for kind in kinds:
        network = get_backbone(backbones[kind.name]).weights
        if with_networks and choices.weights_of(kind.name) == "official" and network in WEIGHTS:
            yield network
        if kind.needs_person:
            yield from detector_weights(choices.detector)
        if kind.needs_tube:
            yield from choices.tubes.official_weights(choices.detector)


def backbone_name(kind: StreamKind, choices: Choices) -> str:
    """Return the network of that stream: the chosen one if it fits, else the usual one."""
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
    """Return the backbone's preprocessing without its network, so that no weights are needed."""
    from aqa_pipeline.backbones.preprocess import get_preprocess

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
