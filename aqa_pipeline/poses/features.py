"""The feature vector of a pose: normalized joints, angles, lean, asymmetry and speeds. Only numpy.

`feature_names` lists its numbers in order. All lengths are in torso lengths, so that they depend neither on
the camera's distance nor on the video's size. x points to the right of the picture and y down.
"""

from typing import NamedTuple

import numpy as np

from aqa_pipeline.poses.joints import LIMB_JOINTS, SIDES, JointSet

VERSION = 1  # of the feature vector; part of a stream's spec
# A trunk that points at the camera looks short: it counts as at least this share of the body's extent.
SHORTEST_TORSO = 0.15
ANGLES = {  # the joint's angle lies between these two
    "elbow": ("shoulder", "wrist"),
    "shoulder": ("elbow", "hip"),
    "hip": ("shoulder", "knee"),
    "knee": ("hip", "ankle"),
}


class Moment(NamedTuple):
    """Joints (joint, 2 or more) in pixels, and their time in seconds."""

    joints: np.ndarray
    seconds: float


def feature_names(joint_set: JointSet) -> tuple[str, ...]:
    """Return the names of the numbers in a feature vector, in order; 117 for 33 joints, 69 for 17."""
    return (
        *(f"{axis} of {joint}" for joint in joint_set.joints for axis in "xy"),
        *(f"angle of {side}_{joint}" for joint in ANGLES for side in SIDES),
        *("lean to the right", "lean upright"),
        *(f"asymmetry of {joint}s" for joint in LIMB_JOINTS),
        *(f"speed of {joint}" for joint in joint_set.joints),
        *("speed of hips in x", "speed of hips in y"),
    )


def pose_features(
    joints: np.ndarray, seconds: np.ndarray, joint_set: JointSet, *, before: Moment | None = None
) -> np.ndarray:
    """Return the feature vectors (time, dim), float32, of joints (time, joint, 2 or more).

    `seconds` (time) are when the joints were seen. Speeds are differences to the step before, which for the
    first one is `before`; without it they are 0.
    """
    if before is not None:
        joints = np.concatenate([before.joints[None], joints])
        seconds = np.concatenate([[before.seconds], seconds])
    joints = joints[..., :2].astype(np.float64)
    points, hips, torso = _normalized(joints, joint_set)
    vectors = np.concatenate(
        [
            points.reshape(len(points), -1),
            *(
                angle(*(_of(points, joint_set, f"{side}_{part}") for part in (ends[0], joint, ends[1])))[
                    :, None
                ]
                for joint, ends in ANGLES.items()
                for side in SIDES
            ),
            lean(points, joint_set),
            *(asymmetry(points, joint_set, joint)[:, None] for joint in LIMB_JOINTS),
            np.linalg.norm(_rates(points, seconds), axis=2),
            _rates(hips, seconds) / torso[:, None],
        ],
        axis=1,
    )
    return vectors[before is not None :].astype(np.float32)


def normalized(joints: np.ndarray, joint_set: JointSet) -> np.ndarray:
    """Return the joints (time, joint, 2) from the middle of the hips on, in torso lengths."""
    return _normalized(joints[..., :2].astype(np.float64), joint_set)[0]


def _normalized(joints: np.ndarray, joint_set: JointSet) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the normalized joints, the middle of the hips in pixels, and the torso's length in pixels."""
    hips, shoulders = (_middle(joints, joint_set, part) for part in ("hip", "shoulder"))
    extent = np.ptp(joints, axis=1).max(axis=1)
    torso = np.maximum(np.linalg.norm(shoulders - hips, axis=1), SHORTEST_TORSO * extent)
    torso = np.where(torso > 0, torso, 1.0)
    return (joints - hips[:, None]) / torso[:, None, None], hips, torso


def angle(one: np.ndarray, middle: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the angles at `middle` between two points, all (time, 2), in radians from 0 to pi."""
    (x, y), (u, v) = (one - middle).T, (other - middle).T
    found: np.ndarray = np.arctan2(np.abs(x * v - y * u), x * u + y * v)
    return found


def lean(points: np.ndarray, joint_set: JointSet) -> np.ndarray:
    """Return sine and cosine (time, 2) of the trunk's lean: (0, 1) upright, (1, 0) to the right."""
    trunk = _middle(points, joint_set, "shoulder") - _middle(points, joint_set, "hip")
    return _directions(trunk) * [1, -1]


def asymmetry(points: np.ndarray, joint_set: JointSet, joint: str) -> np.ndarray:
    """Return how far (time) the right joint is from the left one mirrored at the trunk's axis.

    `points` (time, joint, 2) are normalized: the axis goes through 0.
    """
    trunk = _directions(_middle(points, joint_set, "shoulder") - _middle(points, joint_set, "hip"))
    left, right = (_of(points, joint_set, f"{side}_{joint}") for side in SIDES)
    mirrored = 2 * (left * trunk).sum(axis=1, keepdims=True) * trunk - left
    return np.linalg.norm(right - mirrored, axis=1)


def _rates(values: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """Return the change per second since the step before, 0 for the first."""
    elapsed = np.maximum(np.diff(seconds), 1e-6).reshape(-1, *[1] * (values.ndim - 1))
    return np.concatenate([np.zeros_like(values[:1]), np.diff(values, axis=0) / elapsed])


def _of(points: np.ndarray, joint_set: JointSet, joint: str) -> np.ndarray:
    found: np.ndarray = points[:, joint_set.joints.index(joint)]
    return found


def _middle(points: np.ndarray, joint_set: JointSet, part: str) -> np.ndarray:
    left, right = (_of(points, joint_set, f"{side}_{part}") for side in SIDES)
    return (left + right) / 2


def _directions(vectors: np.ndarray) -> np.ndarray:
    """Return vectors (time, 2) of length 1; a vector without length points up."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(length > 0, vectors / np.where(length > 0, length, 1.0), [0.0, -1.0])
