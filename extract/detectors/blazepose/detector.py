"""Detector `blazepose`: BlazePose's own person detector, 3 MB, Apache-2.0, on the CPU.

It is made for one clearly visible athlete, and misses small persons and persons in a crowd. The network finds
faces, hips and the body's size; the box of the body follows from them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Video
from aqa_pipeline.weights import find_weights, sha256_of
from extract.detectors.blazepose.decoding import HIPS, SCALE_POINT, SIZE, decode, suppress
from extract.detectors.blazepose.region import Region, box_of_person, whole_frame_region
from extract.detectors.detector import Detect
from extract.runtimes.openvino.tflite import Infer, load_tflite

WEIGHTS = "blazepose-detection"
CONFIDENCE = 0.5  # MediaPipe's own


@dataclass(frozen=True, eq=False)
class BlazePosePersons:
    """BlazePose's detector. It returns persons with at least `confidence`, 0 to 1."""

    weights_sha256: str
    confidence: float
    infer: Infer = field(repr=False)
    name: str = "blazepose"

    @property
    def identity(self) -> str:
        """Name, weights and threshold, for a stream's spec."""
        return f"{self.name} sha256:{self.weights_sha256} confidence>={self.confidence:g}"

    def for_video(self, video: Video, footage: Footage) -> Detect:
        """Return the function that finds the persons; it is the same for every video."""
        return self._detect

    def _detect(self, frames: list[np.ndarray], frame_index: Sequence[int]) -> list[np.ndarray]:
        return [_boxes(*self.find(frame, whole_frame_region(frame)), frame) for frame in frames]

    def find(self, frame: np.ndarray, region: Region) -> tuple[np.ndarray, np.ndarray]:
        """Return the bodies (person, 4, 2) in a region of an RGB frame, in pixels of the frame, and scores.

        A body's points are as in `Candidates`. The best one comes first.
        """
        picture = region.cut(frame, SIZE).astype(np.float32) / 127.5 - 1
        values, logits = self.infer(picture[None])
        found = suppress(decode(values[0], logits[0, :, 0], confidence=self.confidence))
        return region.to_frame(found.bodies), found.scores


def load_blazepose(*, confidence: float | None = None) -> BlazePosePersons:
    """Return the detector; `confidence` is 0.5 by default.

    Raise `WeightsError` if OpenVINO or the weights are missing.
    """
    path = find_weights(WEIGHTS)
    infer = load_tflite(path, needed_by="the detector blazepose")
    return BlazePosePersons(sha256_of(path), CONFIDENCE if confidence is None else confidence, infer)


def _boxes(bodies: np.ndarray, scores: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """Return (person, 5): boxes clipped to the frame, with scores, without those beside the frame."""
    boxes = [box_of_person(body[HIPS], body[SCALE_POINT]) for body in bodies]
    height, width = frame.shape[:2]
    inside = np.clip(np.reshape(boxes, (-1, 4)), 0, [width, height] * 2)
    found = np.column_stack([inside, scores]).astype(np.float32)
    has_area = (found[:, 2:4] > found[:, :2]).all(axis=1)
    return found[has_area]
