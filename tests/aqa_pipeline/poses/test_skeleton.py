"""Bones are drawn between joints that are seen."""

import numpy as np

from aqa_pipeline.poses import BLAZEPOSE_33, COCO_17, visible_bones


def test_bones_with_two_seen_ends_are_lines():
    joints = np.column_stack([np.arange(17), 10 * np.arange(17), np.zeros(17), np.zeros(17)])
    for joint in ("left_elbow", "left_wrist", "right_hip", "left_hip", "right_knee"):
        joints[COCO_17.joints.index(joint), 3] = 0.5
    lines, is_left = visible_bones(joints, COCO_17)
    ends = {
        tuple(map(tuple, line.tolist())): left for line, left in zip(lines, is_left.tolist(), strict=True)
    }
    place = {joint: (float(at), 10.0 * at) for at, joint in enumerate(COCO_17.joints)}
    assert ends == {
        (place["left_elbow"], place["left_wrist"]): True,
        (place["left_hip"], place["right_hip"]): False,
        (place["right_hip"], place["right_knee"]): False,
    }


def test_every_bone_joins_two_joints_and_both_sides_have_the_same():
    for joint_set in (COCO_17, BLAZEPOSE_33):
        bones = {frozenset(bone) for bone in joint_set.bones}
        assert len(bones) == len(joint_set.bones)
        swap = {"left": "right", "right": "left"}
        mirrored = {
            frozenset(f"{swap[joint.partition('_')[0]]}_{joint.partition('_')[2]}" for joint in bone)
            for bone in bones
        }
        assert mirrored == bones
