"""The bones of a pose as lines, for drawing."""

import numpy as np

from aqa_pipeline.poses.joints import JointSet

LEAST_VISIBILITY = 0.5  # of both ends of a bone that is drawn


def visible_bones(joints: np.ndarray, joint_set: JointSet) -> tuple[np.ndarray, np.ndarray]:
    """Return the lines (bone, 2, 2) between visible joints of one pose (joint, 4), and which are left (bone).

    A line is two points x, y in the joints' own units. Of the lines across the trunk, none is left.
    """
    places = joint_set.bone_places
    is_seen = (joints[places, 3] >= LEAST_VISIBILITY).all(axis=1)
    is_left = np.array([all(joint.startswith("left") for joint in bone) for bone in joint_set.bones])
    return joints[places[is_seen], :2], is_left[is_seen]
