"""Detector `yolo`: a model of ultralytics, given by name, as a .pt file, or as an exported folder.

ultralytics and its weights are AGPL-3.0 and an optional extra. The detector `torchvision` is BSD. The default
is yolov3u: the body (Darknet-53) of ACTION-NET's YOLOv3, with ultralytics' later, anchor-free head.
"""

import importlib.util
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from aqa_pipeline.errors import UnknownName, WeightsError
from aqa_pipeline.footage import Footage
from aqa_pipeline.installation import install_command
from aqa_pipeline.records import Video
from aqa_pipeline.weights import aqa_home, check_checkpoint, find_weights
from aqa_pipeline.weights.identity import digest_of_any
from extract.detectors.detector import Detect

MODELS = ("yolov3u", "yolov8n", "yolo11n", "yolo11s", "yolo11m", "yolo11l")
DEFAULT_CONFIDENCE = 0.25  # ultralytics' own

_IMPORTING = threading.Lock()


@dataclass(frozen=True, eq=False)
class YoloPersons:
    """A model of ultralytics. It returns persons with at least `confidence`, 0 to 1."""

    model: str
    weights_sha256: str
    confidence: float
    device: str
    exported: bool
    person_classes: tuple[int, ...]
    network: Any = field(repr=False)

    @property
    def name(self) -> str:
        """The name that `load_detector` takes; for a path, its last part."""
        return f"yolo:{self.model}"

    @property
    def identity(self) -> str:
        """Name, weights and threshold, for a stream's spec."""
        return f"{self.name} sha256:{self.weights_sha256} confidence>={self.confidence:g}"

    def for_video(self, video: Video, footage: Footage) -> Detect:
        """Return the function that finds the persons; it is the same for every video."""
        return self._detect

    def _detect(self, frames: list[np.ndarray], frame_index: Sequence[int]) -> list[np.ndarray]:
        # An export runs only with the batch size that it was exported with, which is mostly 1.
        batches = [[frame] for frame in frames] if self.exported else [frames] if frames else []
        return [persons for batch in batches for persons in self._detect_batch(batch)]

    def _detect_batch(self, frames: list[np.ndarray]) -> list[np.ndarray]:
        bgr = [np.ascontiguousarray(frame[:, :, ::-1]) for frame in frames]
        with _own_threads():
            results = self.network.predict(
                bgr,
                classes=list(self.person_classes),
                conf=self.confidence,
                device=self.device,
                verbose=False,
                save=False,
            )
        return [_persons(result) for result in results]


def load_yolo(model: str, *, device: str, confidence: float | None) -> YoloPersons:
    """Return the model of that name or path; yolov3u for an empty name.

    Raise `UnknownName`, or `WeightsError` if ultralytics or the weights are missing, cannot be loaded, or
    have no class `person`.
    """
    path = _path_of(model or MODELS[0])
    exported = path.is_dir()
    ultralytics = import_ultralytics(safely=not exported)
    if not exported:
        check_checkpoint(path)
    try:
        with _own_threads():
            network = ultralytics.YOLO(path, task="detect", verbose=False)
            names = dict(network.names)
    except Exception as error:  # ultralytics' many readers raise errors of any class
        raise WeightsError(f"ultralytics cannot load {path}: {type(error).__name__}: {error}") from error
    persons = tuple(index for index, name in names.items() if name.lower() == "person")
    if not persons:
        raise WeightsError(
            f"{path} knows no class 'person', only {', '.join(map(str, names.values()))[:200]}"
        )
    floor = DEFAULT_CONFIDENCE if confidence is None else confidence
    return YoloPersons(
        model=path.stem,
        weights_sha256=digest_of_any(path),
        confidence=floor,
        device=device,
        exported=exported,
        person_classes=persons,
        network=network,
    )


def _path_of(model: str) -> Path:
    """Return the file or folder for a model's name or path."""
    if model in MODELS:
        return find_weights(model)
    path = Path(model)
    if path.is_dir() and not (path / "metadata.yaml").is_file():
        raise WeightsError(f"{path} is no export of ultralytics: expected a metadata.yaml in it")
    if path.is_dir() or (path.is_file() and path.suffix == ".pt"):
        return path
    if path.exists() or path.suffix or len(path.parts) > 1:
        raise WeightsError(f"no YOLO model at {path}: expected a .pt file or an exported folder")
    raise UnknownName("YOLO model (names aside, the path of a .pt file or an exported folder)", model, MODELS)


def import_ultralytics(*, safely: bool) -> Any:
    """Import ultralytics so that it uses no network, installs nothing and unpickles no code.

    Raise `WeightsError` if it is not installed or, with `safely`, if it cannot load checkpoints without
    running their code.
    """
    if importlib.util.find_spec("ultralytics") is None:
        raise WeightsError(
            "the detector yolo needs ultralytics (AGPL-3.0, code and weights): "
            f"{install_command('yolo')}. Without that license: --detector torchvision (BSD-3-Clause)"
        )
    with _IMPORTING, _own_threads():
        os.environ.update(
            YOLO_OFFLINE="true",
            YOLO_AUTOINSTALL="false",
            YOLO_VERBOSE="false",
            ULTRALYTICS_SAFE_LOAD="1",
        )
        os.environ.setdefault("YOLO_CONFIG_DIR", str(aqa_home() / "ultralytics"))
        import ultralytics
        from ultralytics import settings, utils

        settings.update({"sync": False})  # no usage reports
    if safely and not getattr(utils, "SAFE_LOAD", False):
        raise WeightsError(
            f"ultralytics {ultralytics.__version__} is too old to load a .pt file without running its code, "
            "or was imported before us: upgrade it, or give an exported folder"
        )
    return ultralytics


@contextmanager
def _own_threads() -> Iterator[None]:
    """Restore torch's and OpenCV's thread counts, which ultralytics changes for the whole process."""
    torch_threads, opencv_threads = torch.get_num_threads(), cv2.getNumThreads()
    try:
        yield
    finally:
        torch.set_num_threads(torch_threads)
        cv2.setNumThreads(opencv_threads)


def _persons(result: Any) -> np.ndarray:
    boxes = result.boxes
    persons = np.column_stack([boxes.xyxy.cpu().numpy(), boxes.conf.cpu().numpy()])
    return persons.astype(np.float32)
