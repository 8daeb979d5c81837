"""The network of each stream: a backbone, a pose network for `poses`, and none for `pixels`."""

from collections.abc import Iterator
from typing import Literal, NoReturn

from aqa_pipeline.backbones import get_backbone
from aqa_pipeline.errors import AqaError
from aqa_pipeline.weights import WEIGHTS
from extract.choices.options import StreamOptions
from extract.choices.presets import PRESETS
from extract.poses import POSE_NETWORKS, PoseNetwork, find_pose_network, load_pose_network
from extract.runtimes.load_backbone import LoadedBackbone, load_backbone
from extract.streams import StreamKind

Takes = Literal["clip", "image", "person"]
TAKEN = {"clip": "a backbone that takes a clip", "image": "a backbone that takes an image"}


def network_name(kind: StreamKind, options: StreamOptions) -> str:
    """Return the network of that stream: the chosen one if it fits, else the preset's, else the usual one.

    A stream without a network has "". Raise `UnknownName`, or `AqaError` for a network that was chosen for
    this stream and does not fit.
    """
    chosen = options.networks.backbones
    if kind.name in chosen:
        return _fitting(kind, chosen[kind.name])
    common = chosen.get("")
    if common and _takes(common) == kind.takes:
        return common
    return PRESETS[options.preset].backbones.get(kind.name, kind.default_backbone)


def preprocess_name(kind: StreamKind, name: str, options: StreamOptions) -> str:
    """Return the name of the backbone's preprocessing for that stream; "" for a stream without a backbone.

    A person's crop is never cut to its middle, because all of it is the athlete.
    """
    from aqa_pipeline.backbones.preprocess import get_preprocess

    if kind.takes in ("person", "nothing"):
        return ""
    framing = "whole" if kind.needs_person else options.inputs.framing
    return get_preprocess(get_backbone(name).preprocess_name(options.inputs.variant, framing)).name


def _takes(name: str) -> Takes:
    return "person" if name in POSE_NETWORKS else get_backbone(name).takes


def _fitting(kind: StreamKind, name: str) -> str:
    if kind.takes == "nothing":
        raise AqaError(f"stream {kind.name} has no network; got {name}: leave out its backbone.")
    if kind.takes == "person":
        return find_pose_network(name).name
    if _takes(name) != kind.takes:
        raise AqaError(f"stream {kind.name} needs {TAKEN[kind.takes]}; {name} does not.")
    return name


def official_network_weights(
    kind: StreamKind, name: str, options: StreamOptions, *, with_networks: bool
) -> Iterator[str]:
    """Yield the weights that `aqa weights` must have for that network of the stream.

    Pose networks are always needed: without them there is no pose to look at.
    """
    if kind.takes == "nothing":
        return
    is_official = options.networks.weights_of(kind.name) == "official"
    if kind.takes == "person":
        own, *others = find_pose_network(name).weights
        yield from ([own] if is_official else [])
        yield from others
    elif with_networks and is_official and (weights := get_backbone(name).weights) in WEIGHTS:
        yield weights


def load_network(
    kind: StreamKind, name: str, options: StreamOptions, *, device: str, with_networks: bool
) -> LoadedBackbone | PoseNetwork | None:
    """Return the network of that stream with its weights; a backbone without them if not `with_networks`.

    A stream that takes nothing has none. Raise what `load_backbone` and `load_pose_network` raise, and
    `AqaError` for poses in another precision than fp32.
    """
    if kind.takes == "nothing":
        return None
    weights = options.networks.weights_of(kind.name)
    if kind.takes == "person":
        if options.networks.precision != "fp32":
            raise AqaError(
                f"stream poses is computed in fp32, not {options.networks.precision}: extract it by itself, "
                "without --precision."
            )
        return load_pose_network(name, weights=weights, device=device)
    preprocess = preprocess_name(kind, name, options)
    if not with_networks:
        return _leave_out(name, preprocess, options)
    return load_backbone(
        name,
        weights=weights,
        preprocess=preprocess,
        device=device,
        precision=options.networks.precision,
        runtime=options.networks.runtime,
    )


def _leave_out(name: str, preprocess: str, options: StreamOptions) -> LoadedBackbone:
    """Return the backbone's preprocessing without its network, so that no weights are needed."""
    from aqa_pipeline.backbones.preprocess import get_preprocess

    backbone, precision = get_backbone(name), options.networks.precision
    return LoadedBackbone(backbone, get_preprocess(preprocess), "not loaded", "cpu", precision, _no_network)


def _no_network() -> NoReturn:
    raise AqaError("these streams were built to look at frames, without networks")
