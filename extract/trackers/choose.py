"""The trackers by name. What a tracker needs is imported when it is chosen."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from aqa_pipeline.errors import UnknownName
from extract.detectors import PersonDetector
from extract.trackers.following import FollowedPersons, Rules
from extract.trackers.tracker import Tracker
from extract.trackers.tube import TubeSource

ANNOTATIONS = "annotations"


def load_tube_source(
    spec: str,
    *,
    detector: Callable[[], PersonDetector],
    device: str,
    weights: str = "official",
    rules: Rules | None = None,
) -> TubeSource:
    """Where tubes come from: a tracker as `load_tracker` takes it, or quads from disk.

    `annotations` reads the boxes that came with each video, `annotations:PATH` a JSON of all videos
    (FRFS_Boxes.json) or a folder of `<video id>.csv`. `detector` is called only where a tracker needs one.
    Raises `UnknownName`, or `WeightsError` where weights are missing or do not fit.
    """
    name, _, path = spec.partition(":")
    if name == ANNOTATIONS:
        from extract.trackers.annotated import AnnotatedQuads

        return AnnotatedQuads(Path(path) if path else None)
    if name not in TRACKERS:
        raise UnknownName("tracker", name, [*TRACKERS, ANNOTATIONS])
    tracker = load_tracker(spec, device=device, weights=weights)
    return FollowedPersons(tracker, detector(), rules or Rules())


def official_weights(spec: str) -> tuple[str, ...]:
    """Return the names of the weights that `aqa weights` must have for that tracker."""
    name, _, setting = spec.partition(":")
    if name == "siammask":
        from extract.trackers.siammask.settings import get_setting

        return (get_setting(setting or "davis").weights,)
    if name in ("nano", "vit"):
        from extract.trackers.opencv import NANO_WEIGHTS, VIT_WEIGHTS

        return tuple(NANO_WEIGHTS.values()) if name == "nano" else (VIT_WEIGHTS,)
    return ()


def load_tracker(spec: str, *, device: str, weights: str = "official") -> Tracker[Any]:
    """The tracker that `spec` names, ready to run.

    `siammask` (or `siammask:davis`), `siammask:vot`, `siammask:vot-ld`, `nano`, `vit`. `weights` is
    `official`, or a path: SiamMask's checkpoint, the folder of NanoTrack's two files, VitTrack's file.
    SiamMask also takes `random:SEED`. `nano` and `vit` run on the CPU whatever the device.
    Raises `UnknownName`, or `WeightsError` where weights are missing or do not fit.
    """
    name, _, setting = spec.partition(":")
    if name not in TRACKERS:
        raise UnknownName("tracker", name, TRACKERS)
    return TRACKERS[name](setting, device=device, weights=weights)


def _siammask(setting: str, *, device: str, weights: str) -> Tracker[Any]:
    from extract.trackers.siammask.loading import load_siammask

    return load_siammask(setting, device=device, weights=weights)


def _nano(setting: str, *, device: str, weights: str) -> Tracker[Any]:
    from extract.trackers.opencv import load_nano

    return load_nano(setting, device=device, weights=weights)


def _vit(setting: str, *, device: str, weights: str) -> Tracker[Any]:
    from extract.trackers.opencv import load_vit

    return load_vit(setting, device=device, weights=weights)


class Loader(Protocol):
    def __call__(self, setting: str, *, device: str, weights: str) -> Tracker[Any]: ...


TRACKERS: dict[str, Loader] = {"nano": _nano, "siammask": _siammask, "vit": _vit}
