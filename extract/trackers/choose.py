"""The trackers by name. What a tracker needs is imported when it is chosen."""

from typing import Any, Protocol

from aqa_pipeline.errors import UnknownName
from extract.trackers.tracker import Tracker


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
