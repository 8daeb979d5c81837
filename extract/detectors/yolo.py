"""Detector `yolo`: ultralytics' models, by name, as a .pt file, or as an exported folder.

ultralytics and its weights are AGPL-3.0 and an optional extra; the detector `torchvision` is BSD.
The default is yolov3u, the family of ACTION-NET's YOLOv3 (its Darknet-53 body under the later,
anchor-free head).
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
    """Persons of at least `confidence` that an ultralytics model finds."""

    model: str
    weights_sha256: str
    confidence: float
    device: str
    exported: bool
    person_classes: tuple[int, ...]
    network: Any = field(repr=False)

    @property
    def name(self) -> str:
        return f"yolo:{self.model}"

    @property
    def identity(self) -> str:
        return f"{self.name} sha256:{self.weights_sha256} confidence>={self.confidence:g}"

    def for_video(self, video: Video, footage: Footage) -> Detect:
        return self._detect

    def _detect(self, frames: list[np.ndarray], frame_index: Sequence[int]) -> list[np.ndarray]:
        # An export has the batch size it was exported with, mostly 1.
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
    """The model of that name (yolov3u for an empty one), or the one at a path.

    Raises `UnknownName`, or `WeightsError` where ultralytics or the weights are missing, or are not what
    they should be.
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
    except Exception as error:  # ultralytics raises what its many readers raise
        raise WeightsError(f"ultralytics cannot load {path}: {type(error).__name__}: {error}") from error
    persons = tuple(index for index, name in names.items() if name.lower() == "person")
    if not persons:
        raise WeightsError(
            f"{path} knows no class 'person', only {', '.join(map(str, names.values()))[:200]}"
        )
    floor = DEFAULT_CONFIDENCE if confidence is None else confidence
    return YoloPersons(path.stem, digest_of_any(path), floor, device, exported, persons, network)


def _path_of(model: str) -> Path:
    """The file or folder behind a name or a path."""
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
    """The package, kept from the network, from installing things and from unpickling code.

    Raises `WeightsError` where it is not installed or, with `safely`, too old for checkpoints without code.
    """
    if importlib.util.find_spec("ultralytics") is None:
        raise WeightsError(
            "the detector yolo needs ultralytics (AGPL-3.0, code and weights): "
            f"{install_command('yolo')}. Without that licence: --detector torchvision (BSD-3-Clause)"
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
    """Puts back the numbers of threads, which ultralytics sets for the whole process when it likes to."""
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
