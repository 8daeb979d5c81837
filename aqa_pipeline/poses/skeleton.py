"""The bones of a pose as lines, and the angles of its joints, for people to see."""

import numpy as np

from aqa_pipeline.poses.features import ANGLES, angle
from aqa_pipeline.poses.joints import SIDES, JointSet

LEAST_VISIBILITY = 0.5  # of both ends of a bone that is drawn, and of the three joints of an angle
ANGLE_NAMES = tuple(f"{side} {joint}" for joint in ANGLES for side in SIDES)


def visible_bones(joints: np.ndarray, joint_set: JointSet) -> tuple[np.ndarray, np.ndarray]:
    """Return the lines (bone, 2, 2) between visible joints of one pose (joint, 4), and which are left (bone).

    A line is two points x, y in the joints' own units. Of the lines across the trunk, none is left.
    """
    places = joint_set.bone_places
    is_seen = (joints[places, 3] >= LEAST_VISIBILITY).all(axis=1)
    is_left = np.array([all(joint.startswith("left") for joint in bone) for bone in joint_set.bones])
    return joints[places[is_seen], :2], is_left[is_seen]


def visible_angles(joints: np.ndarray, joint_set: JointSet) -> np.ndarray:
    """Return the angles (angle,) of one pose (joint, 4) in degrees, as `ANGLE_NAMES`; nan where hidden.

    An angle is that in the picture: 180 is straight. A camera from another side sees another angle.
    """
    found = []
    for joint, ends in ANGLES.items():
        for side in SIDES:
            names = (f"{side}_{part}" for part in (ends[0], joint, ends[1]))
            places = [joint_set.joints.index(name) for name in names]
            corners = joints[places, None, :2].astype(np.float64)
            is_seen = (joints[places, 3] >= LEAST_VISIBILITY).all()
            found.append(np.degrees(angle(*corners)[0]) if is_seen else np.nan)
    return np.array(found)
