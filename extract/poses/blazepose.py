"""BlazePose: 33 joints of one person, from a rotated square around the body, as in MediaPipe.

Paper: Bazarevsky et al., "BlazePose: On-device Real-time Body Pose Tracking", 2020. Original code:
MediaPipe's graphs `pose_landmark_by_roi_cpu` and `tensors_to_pose_landmarks_and_segmentation` (Apache-2.0).
Own text. MediaPipe follows its square from frame to frame and smooths joints over time; here each frame
stands alone, because frames are sampled.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from aqa_pipeline.errors import WeightsError
from aqa_pipeline.poses import BLAZEPOSE_33, JointSet
from aqa_pipeline.records import SpecValue
from aqa_pipeline.weights import sha256_of
from extract.detectors.blazepose.decoding import HIPS, SCALE_POINT, SHOULDERS
from extract.detectors.blazepose.detector import BlazePosePersons, load_blazepose
from extract.detectors.blazepose.region import Region, region_of_person
from extract.runtimes.openvino.tflite import Infer, load_tflite

SIZE = 256
NUM_POINTS, VALUES = 39, 5  # 33 joints and 6 others; x, y, z, visibility, presence
REGION_SCALE = 1.25
AROUND_BOX = 1.25  # the side of the square in which the body is looked for, in longer sides of the box
LEAST_PRESENCE = 0.5
KERNEL, LEAST_CONFIDENCE = 7, 0.5  # of the heat maps, which move joints to their center of mass


@dataclass(frozen=True, eq=False)
class BlazePose:
    """BlazePose's landmark network, and its detector, which finds hips and scale point inside a box."""

    weights_sha256: str
    infer: Infer = field(repr=False)
    detector: BlazePosePersons = field(repr=False)
    name: str = "blazepose-full"

    @property
    def joint_set(self) -> JointSet:
        """The 33 joints of MediaPipe."""
        return BLAZEPOSE_33

    @property
    def facts(self) -> Mapping[str, SpecValue]:
        """The network's part of a stream's spec."""
        return {
            "backbone": self.name,
            "weights": f"sha256:{self.weights_sha256}",
            "preprocess": f"region-{REGION_SCALE:g}-of-hips-and-scale-point-{SIZE}",
            "region": self.detector.identity,
            "precision": "fp32",
        }

    def estimate(self, frame: np.ndarray, box: np.ndarray) -> np.ndarray | None:
        """Return the joints (33, 4) of the person in the box, or None if the network sees no pose there."""
        found = (self._joints(frame, region) for region in self.regions(frame, box))
        return next((joints for joints in found if joints is not None), None)

    def regions(self, frame: np.ndarray, box: np.ndarray) -> Iterator[Region]:
        """Yield the square around the body in the box, turned upright; then the square around the box.

        The body is one that the detector finds with the middle of its shoulders in the box, if there is one.
        """
        center, side = (box[:2] + box[2:4]) / 2, float(max(box[2:4] - box[:2]))
        bodies, _ = self.detector.find(frame, Region(center, AROUND_BOX * side))
        shoulders = bodies[:, SHOULDERS]
        inside = ((box[:2] <= shoulders) & (shoulders <= box[2:4])).all(axis=1)
        for body in bodies[inside][:1]:
            yield region_of_person(body[HIPS], body[SCALE_POINT], scale=REGION_SCALE)
        yield Region(center, REGION_SCALE * side)

    def _joints(self, frame: np.ndarray, region: Region) -> np.ndarray | None:
        picture = region.cut(frame, SIZE).astype(np.float32) / 255
        values, presence, _, heat_maps, _ = self.infer(picture[None])
        if float(presence.ravel()[0]) < LEAST_PRESENCE:
            return None
        points = values.reshape(NUM_POINTS, VALUES)[: len(BLAZEPOSE_33)].astype(np.float64)
        places = refine(points[:, :2] / SIZE, heat_maps[0, :, :, : len(BLAZEPOSE_33)])
        depth = points[:, 2:3] / SIZE * region.side
        return np.column_stack([region.to_frame(places), depth, sigmoid(points[:, 3:4])])


def refine(points: np.ndarray, heat_maps: np.ndarray) -> np.ndarray:
    """Return points (joint, 2), from 0 to 1, moved to the center of mass of their heat map around them.

    `heat_maps` (row, column, joint) are logits. A point whose 7 x 7 window holds no probability of 0.5 stays.
    """
    rows, columns, _ = heat_maps.shape
    refined, reach = points.copy(), KERNEL // 2
    for joint, (x, y) in enumerate(points):
        column, row = int(x * columns), int(y * rows)
        if not (0 <= column < columns and 0 <= row < rows):
            continue
        top, left = max(row - reach, 0), max(column - reach, 0)
        window = sigmoid(
            heat_maps[top : row + reach + 1, left : column + reach + 1, joint].astype(np.float64)
        )
        if window.max() >= LEAST_CONFIDENCE:
            share = window / window.sum()
            refined[joint, 0] = (share.sum(axis=0) @ (left + np.arange(share.shape[1]))) / columns
            refined[joint, 1] = (share.sum(axis=1) @ (top + np.arange(share.shape[0]))) / rows
    return refined


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Return the probabilities of logits."""
    found: np.ndarray = 1 / (1 + np.exp(-np.clip(logits, -100, 100)))
    return found


def _check_outputs(infer: Infer, path: Path) -> None:
    try:
        shapes = [each.shape for each in infer(np.zeros((1, SIZE, SIZE, 3), np.float32))]
    except RuntimeError:  # OpenVINO's error for an input of another shape
        shapes = []
    if shapes[:1] != [(1, NUM_POINTS * VALUES)] or [shape[-1] for shape in shapes[3:4]] != [NUM_POINTS]:
        raise WeightsError(
            f"{path} is no landmark network of BlazePose: expected a picture of {SIZE}x{SIZE} in, "
            f"{NUM_POINTS} points and their heat maps out"
        )


def load_blazepose_landmarks(path: Path) -> BlazePose:
    """Return the network with the weights at `path`, and the official detector.

    Raise `WeightsError` if OpenVINO or the detector's weights are missing, or if the file is another network.
    """
    detector = load_blazepose()
    infer = load_tflite(path, needed_by="blazepose-full")
    _check_outputs(infer, path)
    return BlazePose(sha256_of(path), infer, detector)
