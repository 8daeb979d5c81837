"""Build streams, which are ready to run, from options."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache

from aqa_pipeline.backbones import get_backbone
from aqa_pipeline.commands.options import pick_device
from aqa_pipeline.errors import AqaError, WeightsError
from aqa_pipeline.weights import check_weights
from extract.choices.networks import (
    load_network,
    network_name,
    official_network_weights,
    preprocess_name,
)
from extract.choices.options import AthleteOptions, StreamOptions
from extract.choices.presets import LIGHT_INSTEAD, PRESETS
from extract.detectors import PersonDetector, load_detector
from extract.detectors.choose import official_weights as detector_weights
from extract.poses import PoseNetwork
from extract.runtimes.load_backbone import LoadedBackbone
from extract.streams import Parts, PixelParts, Stream, StreamKind, TubeParts, get_stream_kind
from extract.streams.poses import RATE_FPS as POSE_RATE
from extract.trackers import TubeSource, load_tube_source
from extract.trackers.choose import ANNOTATIONS
from extract.trackers.choose import official_weights as tracker_weights

USUAL_TRACKER = "siammask"


def build_streams(
    names: Sequence[str], options: StreamOptions, *, with_networks: bool = True
) -> list[Stream]:
    """Return the named streams, their networks loaded; networks and detector are shared between streams.

    Without networks they can plan, prepare frames, find persons and their joints, but make no other
    features. Raise `UnknownName` for an unknown stream, network, detector or tracker, `WeightsError` for
    absent weights, and `AqaError` for options that do not fit the streams.
    """
    device = pick_device(options.networks.device)
    kinds = [get_stream_kind(name) for name in dict.fromkeys(names)]
    chosen = {kind.name: network_name(kind, options) for kind in kinds}
    _check(kinds, chosen, options)
    _check_weights(kinds, chosen, options, with_networks=with_networks)
    detector = cache(lambda: load_detector(options.detector, device=device))
    persons = detector() if any(kind.needs_person for kind in kinds) else None
    needs_tube = any(is_tracked(kind, options.athlete) for kind in kinds)
    tubes = _load_tube_source(options.athlete, detector, device) if needs_tube else None
    loaded: dict[tuple[str, str, str], LoadedBackbone | PoseNetwork | None] = {}
    streams = []
    for kind in kinds:
        name = chosen[kind.name]
        wanted = (name, options.networks.weights_of(kind.name), preprocess_name(kind, name, options))
        if wanted not in loaded:
            loaded[wanted] = load_network(
                kind, wanted[0], options, device=device, with_networks=with_networks
            )
        streams.append(
            kind.build(_parts(kind, loaded[wanted], options, device=device, finders=(persons, tubes)))
        )
    return streams


def _check(kinds: Sequence[StreamKind], backbones: Mapping[str, str], options: StreamOptions) -> None:
    for kind in kinds:
        if kind.name == "clips" and options.inputs.views == "flip":
            raise AqaError("views 'flip' is for the stream tubes; the stream clips expects all or reference.")
        if kind.takes in ("clip", "image"):
            kind.check(get_backbone(backbones[kind.name]), options.inputs.clip_sampling)


def is_tracked(kind: StreamKind, athlete: AthleteOptions) -> bool:
    """Return True if a tracker follows the athlete for that stream."""
    return kind.tracking == "always" or (kind.tracking == "if named" and athlete.tracker is not None)


def _check_weights(
    kinds: Sequence[StreamKind], chosen: Mapping[str, str], options: StreamOptions, *, with_networks: bool
) -> None:
    """Raise `WeightsError` for absent weights; offer the light preset where it would do without them."""
    try:
        check_weights(official_weights_of(kinds, chosen, options, with_networks=with_networks))
    except WeightsError as error:
        if options.preset == "light" or not (with_networks and _has_light(kinds, chosen, options.athlete)):
            raise
        raise WeightsError(f"{error}\n{LIGHT_INSTEAD}") from error


def _has_light(kinds: Sequence[StreamKind], chosen: Mapping[str, str], athlete: AthleteOptions) -> bool:
    """Return True if the light preset has a network for every stream that has the paper's."""
    with_network = [kind for kind in kinds if chosen[kind.name]]
    are_usual = all(chosen[kind.name] == kind.default_backbone for kind in with_network)
    have_light = all(kind.name in PRESETS["light"].backbones for kind in with_network)
    is_any_tracked = any(is_tracked(kind, athlete) for kind in kinds)
    return bool(with_network) and are_usual and have_light and not is_any_tracked


def _load_tube_source(
    athlete: AthleteOptions, detector: Callable[[], PersonDetector], device: str
) -> TubeSource:
    return load_tube_source(
        athlete.tracker or USUAL_TRACKER,
        detector=detector,  # called only where the tracker needs one
        device=device,
        weights=athlete.tracker_weights or "official",
        rules=athlete.tracking_rules,
    )


def official_weights(names: Sequence[str], options: StreamOptions) -> list[str]:
    """Return the weights that `aqa weights` must have for these streams."""
    kinds = [get_stream_kind(name) for name in names]
    chosen = {kind.name: network_name(kind, options) for kind in kinds}
    return list(official_weights_of(kinds, chosen, options, with_networks=True))


def official_weights_of(
    kinds: Sequence[StreamKind], backbones: Mapping[str, str], options: StreamOptions, *, with_networks: bool
) -> Iterator[str]:
    """Yield all weights that `aqa weights` must have, so that one error names all missing ones."""
    for kind in kinds:
        yield from official_network_weights(kind, backbones[kind.name], options, with_networks=with_networks)
        if kind.needs_person:
            yield from detector_weights(options.detector)
        if is_tracked(kind, options.athlete):
            yield from _tube_weights(options)


def _tube_weights(options: StreamOptions) -> tuple[str, ...]:
    """Return the weights of the tracker, and of the detector that a tracker needs."""
    athlete = options.athlete
    tracker = athlete.tracker or USUAL_TRACKER
    of_tracker = tracker_weights(tracker) if (athlete.tracker_weights or "official") == "official" else ()
    is_read = tracker.partition(":")[0] == ANNOTATIONS
    return of_tracker if is_read else (*of_tracker, *detector_weights(options.detector))


def _parts(
    kind: StreamKind,
    network: LoadedBackbone | PoseNetwork | None,
    options: StreamOptions,
    *,
    device: str,
    finders: tuple[PersonDetector | None, TubeSource | None],
) -> Parts:
    detector, tube_source = finders
    at_once = 2 if kind.takes == "clip" else 8
    usual = at_once if device == "cpu" else 8 * at_once
    inputs = options.inputs
    return Parts(
        network=network,
        detector=detector,
        batch_size=options.networks.batch_size or usual,
        dtype=options.dtype or kind.default_dtype,
        clips=inputs.clip_sampling,
        athlete=options.athlete.crop_rule,
        tubes=TubeParts(
            tube_source if is_tracked(kind, options.athlete) else None, inputs.tube_sampling, inputs.variant
        ),
        pixels=PixelParts(inputs.pixel_sampling, inputs.stored_picture),
        rest=inputs.rest or "dropped",
        pose_rate=inputs.pose_rate or POSE_RATE,
    )
