"""Load a tracker by its name. Its libraries are imported only then."""

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
    """Return the source of tubes that `spec` names: a tracker of `load_tracker`, or quads from disk.

    `annotations` reads the boxes that came with each video. `annotations:PATH` reads a JSON file of all
    videos (FRFS_Boxes.json) or a folder of `<video id>.csv`. `detector` is called only for a tracker. Raise
    `UnknownName`, or `WeightsError` if weights are missing or do not fit.
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
    """Return the names in `aqa weights` that the tracker `spec` needs."""
    name, _, setting = spec.partition(":")
    if name == "siammask":
        from extract.trackers.siammask.settings import get_setting

        return (get_setting(setting or "davis").weights,)
    if name in ("nano", "vit"):
        from extract.trackers.opencv import NANO_WEIGHTS, VIT_WEIGHTS

        return tuple(NANO_WEIGHTS.values()) if name == "nano" else (VIT_WEIGHTS,)
    return ()


def load_tracker(spec: str, *, device: str, weights: str = "official") -> Tracker[Any]:
    """Return the tracker that `spec` names, ready to run on `device`.

    `spec` is one of `siammask` (the same as `siammask:davis`), `siammask:vot`, `siammask:vot-ld`, `nano`,
    `vit`. `weights` is `official`, or a path: SiamMask's checkpoint, the folder of NanoTrack's two files, or
    VitTrack's file. SiamMask also takes `random:SEED`. `nano` and `vit` always run on the CPU. Raise
    `UnknownName`, or `WeightsError` if weights are missing or do not fit.
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
    """A function that loads a tracker."""

    def __call__(self, setting: str, *, device: str, weights: str) -> Tracker[Any]:
        """Return the tracker in that setting ("" for its default)."""
        ...


TRACKERS: dict[str, Loader] = {"nano": _nano, "siammask": _siammask, "vit": _vit}
