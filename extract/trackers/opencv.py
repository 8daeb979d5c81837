"""Trackers `nano` and `vit`: small and fast trackers of OpenCV, which return upright boxes.

They are NanoTrack (HonglinChu/SiamTrackers, Apache-2.0) as `cv2.TrackerNano` and VitTrack (opencv_zoo,
Apache-2.0) as `cv2.TrackerVit`. Their networks are ONNX files.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from aqa_pipeline.errors import UnknownName, WeightsError
from aqa_pipeline.weights import find_weights, sha256_of
from extract.trackers.corners import box_quad
from extract.trackers.tracker import Tracked, check_start, update_each

NANO_FILES = {
    "backbone": "nanotrack_backbone_sim.onnx",
    "neckhead": "nanotrack_head_sim.onnx",
}
NANO_WEIGHTS = {"backbone": "nanotrack-v2-backbone", "neckhead": "nanotrack-v2-head"}
VIT_WEIGHTS = "vittrack-2023sep"

# On four real clips, NanoTrack's score stays at 0.93 to 1 times its best while it holds the target. After a
# cut it falls to 0.5 to 0.9 times the best for a few frames. VitTrack's score varies much more.
NANO_DOUBT_BELOW, VIT_DOUBT_BELOW = 0.9, 0.5

_OPENCV: Any = cv2  # OpenCV's type hints lack its trackers


@dataclass(frozen=True, eq=False)
class OpenCvTracker:
    """A tracker of OpenCV. `create` makes a new one for every track."""

    name: str
    weights_id: str
    doubt_below: float
    create: Callable[[], Any] = field(repr=False)

    @property
    def identity(self) -> str:
        """Name and weights, for a stream's spec."""
        return f"{self.name} {self.weights_id}"

    def start(self, frame: np.ndarray, box: np.ndarray) -> "OpenCvTrack":
        """Start a track of the target in the box, rounded to pixels. Raise `AqaError` for a bad box."""
        x1, y1, x2, y2 = check_start(frame, box).round().astype(int).tolist()
        with _quiet():
            tracker = self.create()
            tracker.init(_bgr(frame), (x1, y1, max(x2 - x1, 1), max(y2 - y1, 1)))
        return OpenCvTrack(tracker, box_quad(np.array([x1, y1, x2, y2])))

    def update_many(self, tracks: Sequence["OpenCvTrack"], frames: Sequence[np.ndarray]) -> list[Tracked]:
        """Update each track with its own next frame, one after another."""
        return update_each(tracks, frames)


class OpenCvTrack:
    """One target that a tracker of OpenCV follows."""

    def __init__(self, tracker: Any, quad: np.ndarray) -> None:
        self._tracker, self._quad = tracker, quad

    def update(self, frame: np.ndarray) -> Tracked:
        """Return the target's upright box in the next RGB frame; the last one if the target is not found."""
        found, (x, y, width, height) = self._tracker.update(_bgr(frame))
        if found:
            self._quad = box_quad(np.array([x, y, x + width, y + height]))
        return Tracked(self._quad, float(self._tracker.getTrackingScore()))


def load_nano(setting: str, *, device: str, weights: str) -> OpenCvTracker:
    """Return NanoTrack v2. `weights` is `official`, or a folder with its two files.

    Raise `UnknownName` for any setting but "", and `WeightsError` if files are missing or OpenCV is too old.
    """
    _no_settings("nano", setting)
    _needs("TrackerNano_create", "4.7")
    if weights == "official":
        paths = {part: find_weights(name) for part, name in NANO_WEIGHTS.items()}
    else:
        paths = {part: _given(Path(weights) / name, "nano") for part, name in NANO_FILES.items()}

    def create() -> Any:
        parameters = _OPENCV.TrackerNano_Params()
        parameters.backbone, parameters.neckhead = str(paths["backbone"]), str(paths["neckhead"])
        return _OPENCV.TrackerNano_create(parameters)

    _prove(create, *paths.values())
    digests = " ".join(f"{part}:sha256:{sha256_of(path)}" for part, path in paths.items())
    return OpenCvTracker("nano", digests, NANO_DOUBT_BELOW, create)


def load_vit(setting: str, *, device: str, weights: str) -> OpenCvTracker:
    """Return VitTrack. `weights` is `official`, or the path of its file. Raise as `load_nano` does."""
    _no_settings("vit", setting)
    _needs("TrackerVit_create", "4.9")
    path = find_weights(VIT_WEIGHTS) if weights == "official" else _given(Path(weights), "vit")

    def create() -> Any:
        parameters = _OPENCV.TrackerVit_Params()
        parameters.net = str(path)
        return _OPENCV.TrackerVit_create(parameters)

    _prove(create, path)
    return OpenCvTracker("vit", f"sha256:{sha256_of(path)}", VIT_DOUBT_BELOW, create)


def _bgr(frame: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(frame[:, :, ::-1])


def _no_settings(name: str, setting: str) -> None:
    if setting:
        raise UnknownName("tracker", f"{name}:{setting}", [name])


def _needs(function: str, version: str) -> None:
    if not hasattr(cv2, function):
        raise WeightsError(
            f"this OpenCV ({cv2.__version__}) has no {function}: install opencv-python {version} or later"
        )


def _given(path: Path, tracker: str) -> Path:
    if path.is_file():
        return path
    expected = " and ".join(NANO_FILES.values()) if tracker == "nano" else "its ONNX file"
    given = "a folder with" if tracker == "nano" else "the path of"
    raise WeightsError(
        f"no weights of the tracker {tracker} at {path}: give {given} {expected} (it has no random weights)"
    )


def _prove(create: Callable[[], Any], *paths: Path) -> None:
    """Load the networks once, so that a damaged file raises `WeightsError` before any video is read."""
    try:
        with _quiet():
            create()
    except cv2.error as error:
        named = " and ".join(map(str, paths))
        raise WeightsError(f"OpenCV cannot load {named}: {str(error).strip()[:300]}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence OpenCV 5, which warns for every network that its new engine ignores targets."""
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)
