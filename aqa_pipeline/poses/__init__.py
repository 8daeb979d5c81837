"""What both stages know of poses: which joints a network finds, and the features made of them."""

from aqa_pipeline.poses.features import feature_names, pose_features
from aqa_pipeline.poses.joints import BLAZEPOSE_33, COCO_17, JOINT_SETS, JointSet, joint_set
from aqa_pipeline.poses.skeleton import ANGLE_NAMES, visible_angles, visible_bones

__all__ = [
    "ANGLE_NAMES",
    "BLAZEPOSE_33",
    "COCO_17",
    "JOINT_SETS",
    "JointSet",
    "feature_names",
    "joint_set",
    "pose_features",
    "visible_angles",
    "visible_bones",
]
