"""Bones are drawn between joints that are seen."""

import numpy as np

from aqa_pipeline.poses import ANGLE_NAMES, BLAZEPOSE_33, COCO_17, visible_angles, visible_bones


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


def test_angles_are_in_degrees_and_hidden_joints_have_none():
    joints = np.zeros((17, 4))
    seen = {
        **{"left_hip": (0, 0), "left_knee": (0, 10), "left_ankle": (10, 10)},  # a right angle
        **{"right_shoulder": (0, 0), "right_elbow": (5, 5), "right_wrist": (10, 10)},  # straight
    }
    for joint, place in seen.items():
        joints[COCO_17.joints.index(joint)] = (*place, 0, 0.9)
    found = dict(zip(ANGLE_NAMES, visible_angles(joints, COCO_17).tolist(), strict=True))
    assert {name: round(each) for name, each in found.items() if np.isfinite(each)} == {
        "left knee": 90,
        "right elbow": 180,
    }
    assert len(found) == 8
