"""Skeletons whose knees bend by known angles."""

import numpy as np

from aqa_pipeline.measuring import PoseSeries
from aqa_pipeline.poses import COCO_17

RATE = 10.0  # poses a second
HIP, THIGH, SHANK = (100.0, 100.0), 50.0, 45.0


def walker(
    steps: int, *, left_knee: np.ndarray | None = None, right_knee: np.ndarray | None = None
) -> PoseSeries:
    """Return poses whose knees have these angles (step) in degrees, by default 120; all joints are seen."""
    joints = walking_joints(steps, left_knee=left_knee, right_knee=right_knee)
    starts = np.arange(steps) / RATE
    return PoseSeries(
        starts, np.stack([starts, starts + 1 / RATE], axis=1), joints, COCO_17, made_by="a test"
    )


def walking_joints(
    steps: int, *, left_knee: np.ndarray | None = None, right_knee: np.ndarray | None = None
) -> np.ndarray:
    """Return the joints (step, 17, 4) of such poses."""
    joints = np.random.default_rng(0).uniform(0, 50, (1, 17, 4)).repeat(steps, axis=0)
    joints[..., 3] = 0.9
    for side, angles in (("left", left_knee), ("right", right_knee)):
        bend = np.radians(np.full(steps, 120.0) if angles is None else angles)
        hip, knee, ankle = COCO_17.places(f"{side}_{part}" for part in ("hip", "knee", "ankle"))
        joints[:, hip, :2] = HIP
        joints[:, knee, :2] = np.add(HIP, (0, THIGH))
        # From the knee, the hip is straight up: the shank turns away from there by the knee's angle.
        shank = SHANK * np.stack([np.sin(bend), -np.cos(bend)], axis=1)
        joints[:, ankle, :2] = joints[:, knee, :2] + shank
    return joints
