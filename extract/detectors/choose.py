"""Load a detector by its name. Its libraries are imported only then."""

from collections.abc import Callable

from aqa_pipeline.errors import UnknownName
from extract.detectors.detector import PersonDetector


def load_detector(spec: str, *, device: str, confidence: float | None = None) -> PersonDetector:
    """Return the detector that `spec` names, ready to run on `device`.

    `spec` is one of `yolo`, `yolo:yolo11n`, `yolo:FOLDER`, `yolo:FILE.pt`, `torchvision`,
    `torchvision:MODEL`, `blazepose`, `annotations`. `confidence`, 0 to 1, is the least that counts as
    a person; by default the detector's own. Raise `UnknownName`, or `WeightsError` if a package or weights
    are missing.
    """
    kind, _, model = spec.partition(":")
    if kind not in DETECTORS:
        raise UnknownName("detector", kind, DETECTORS)
    return DETECTORS[kind](model, device, confidence)


def official_weights(spec: str) -> tuple[str, ...]:
    """Return the names in `aqa weights` that the detector `spec` needs; () for weights given as a path."""
    kind, _, model = spec.partition(":")
    if kind == "yolo":
        from extract.detectors.yolo import MODELS

        return tuple(name for name in (model or MODELS[0],) if name in MODELS)
    if kind == "torchvision":
        from extract.detectors import torchvision_detection

        models = torchvision_detection.MODELS
        return tuple(name for name in (model or models[0],) if name in models)
    if kind == "blazepose":
        from extract.detectors.blazepose.detector import WEIGHTS

        return (WEIGHTS,)
    return ()


def _yolo(model: str, device: str, confidence: float | None) -> PersonDetector:
    from extract.detectors.yolo import load_yolo

    return load_yolo(model, device=device, confidence=confidence)


def _torchvision(model: str, device: str, confidence: float | None) -> PersonDetector:
    from extract.detectors.torchvision_detection import load_torchvision

    return load_torchvision(model, device=device, confidence=confidence)


def _blazepose(model: str, device: str, confidence: float | None) -> PersonDetector:
    from extract.detectors.blazepose.detector import load_blazepose

    if model:
        raise UnknownName("detector", f"blazepose:{model}", DETECTORS)
    return load_blazepose(confidence=confidence)


def _annotations(model: str, device: str, confidence: float | None) -> PersonDetector:
    from extract.detectors.annotated import AnnotatedPersons

    if model:
        raise UnknownName("detector", f"annotations:{model}", DETECTORS)
    return AnnotatedPersons()


Loader = Callable[[str, str, float | None], PersonDetector]

DETECTORS: dict[str, Loader] = {
    "annotations": _annotations,
    "blazepose": _blazepose,
    "torchvision": _torchvision,
    "yolo": _yolo,
}
