"""The feature vector of a pose: known poses have known numbers, and the camera does not matter."""

import math

import numpy as np
import pytest

from aqa_pipeline.errors import UnknownName
from aqa_pipeline.poses import BLAZEPOSE_33, COCO_17, feature_names, joint_set, pose_features
from aqa_pipeline.poses.features import Moment, normalized

SETS = pytest.mark.parametrize("joints_of", [COCO_17, BLAZEPOSE_33], ids=lambda each: each.name)
# A person with arms stretched to the sides and straight legs; the torso is 2 long. Left is on the right.
PLACES = {
    "shoulder": (0.5, -2.0),
    "elbow": (1.5, -2.0),
    "wrist": (2.5, -2.0),
    "hip": (0.5, 0.0),
    "knee": (0.5, 1.5),
    "ankle": (0.5, 3.0),
}


def a_person(joints_of, **moved):
    """Return joints (joint, 2) of the person; `left_knee=(x, y)` moves a joint. The others are the nose."""
    points = np.tile([0.0, -2.5], (len(joints_of), 1))
    for part, (x, y) in PLACES.items():
        for side, sign in (("left", 1), ("right", -1)):
            points[joints_of.joints.index(f"{side}_{part}")] = (sign * x, y)
    for joint, place in moved.items():
        points[joints_of.joints.index(joint)] = place
    return points


def named(vector, joints_of):
    return dict(zip(feature_names(joints_of), vector.tolist(), strict=True))


def features_of(joints_of, *persons, fps=1.0):
    found = pose_features(np.stack(persons), np.arange(len(persons)) / fps, joints_of)
    return [named(vector, joints_of) for vector in found]


@SETS
def test_a_symmetric_person_has_known_numbers(joints_of):
    (found,) = features_of(joints_of, a_person(joints_of) * 40 + [300, 200])
    assert (found["x of left_wrist"], found["y of left_wrist"]) == pytest.approx((1.25, -1.0))
    assert (found["x of right_ankle"], found["y of right_ankle"]) == pytest.approx((-0.25, 1.5))
    angles = {name: math.degrees(value) for name, value in found.items() if name.startswith("angle")}
    expected = {"elbow": 180, "shoulder": 90, "hip": 180, "knee": 180}
    assert angles == pytest.approx(
        {f"angle of {side}_{joint}": value for joint, value in expected.items() for side in ("left", "right")}
    )
    assert (found["lean to the right"], found["lean upright"]) == pytest.approx((0, 1))
    assert all(value == pytest.approx(0, abs=1e-6) for name, value in found.items() if "asymmetry" in name)
    assert all(value == 0 for name, value in found.items() if "speed" in name)


@SETS
def test_a_bent_knee_changes_its_angle_and_the_symmetry_of_the_ankles(joints_of):
    (found,) = features_of(joints_of, a_person(joints_of, left_ankle=(2.0, 1.5)))
    assert math.degrees(found["angle of left_knee"]) == pytest.approx(90)
    assert math.degrees(found["angle of right_knee"]) == pytest.approx(180)
    # The mirrored left ankle is at (-2, 1.5), the right one at (-0.5, 3): 1.5 both ways, in torsos of 2.
    assert found["asymmetry of ankles"] == pytest.approx(math.hypot(1.5, 1.5) / 2)
    assert found["asymmetry of knees"] == pytest.approx(0, abs=1e-6)


@SETS
def test_distance_place_and_size_of_the_video_do_not_matter(joints_of):
    rng = np.random.default_rng(0)
    walk = rng.normal(0, 1, (6, len(joints_of), 2)) + a_person(joints_of) * 3
    near = pose_features(walk, np.arange(6) / 5, joints_of)
    far = pose_features(walk * 0.01 + [7, 9], np.arange(6) / 5, joints_of)
    np.testing.assert_allclose(far, near, rtol=2e-4, atol=2e-4)


@SETS
def test_a_turned_person_has_the_same_angles_and_another_lean(joints_of):
    turned = a_person(joints_of) @ np.array([[0, 1], [-1, 0]])  # a quarter turn, the head to the right
    upright, lying = features_of(joints_of, a_person(joints_of), turned)
    assert (lying["lean to the right"], lying["lean upright"]) == pytest.approx((1, 0), abs=1e-6)
    for name in upright:
        if name.startswith(("angle", "asymmetry")):
            assert lying[name] == pytest.approx(upright[name], abs=1e-6)


def test_speeds_are_torso_lengths_a_second():
    raised = a_person(COCO_17, left_wrist=(2.5, -3.0))
    _, found = features_of(COCO_17, a_person(COCO_17), raised + np.array([0.6, 0]), fps=5)
    assert found["speed of left_wrist"] == pytest.approx(1.0 / 2 * 5)
    assert found["speed of right_wrist"] == pytest.approx(0, abs=1e-6)
    assert (found["speed of hips in x"], found["speed of hips in y"]) == pytest.approx((1.5, 0), abs=1e-6)


def test_a_step_after_a_gap_is_slower():
    raised = a_person(COCO_17, left_wrist=(2.5, -3.0))
    found = pose_features(np.stack([a_person(COCO_17), raised]), np.array([1.0, 3.0]), COCO_17)
    assert named(found[1], COCO_17)["speed of left_wrist"] == pytest.approx(0.25)


def test_in_parts_as_at_once():
    rng = np.random.default_rng(1)
    joints, seconds = rng.normal(0, 9, (7, 33, 4)), np.cumsum(rng.uniform(0.1, 1, 7))
    whole = pose_features(joints, seconds, BLAZEPOSE_33)
    before = Moment(joints[2], float(seconds[2]))
    parts = [
        pose_features(joints[:3], seconds[:3], BLAZEPOSE_33),
        pose_features(joints[3:], seconds[3:], BLAZEPOSE_33, before=before),
    ]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert whole.shape == (7, len(feature_names(BLAZEPOSE_33))) == (7, 117)
    assert whole.dtype == np.float32


@pytest.mark.filterwarnings("error")
def test_no_pose_gives_numbers_that_are_not_finite():
    points = [np.zeros((17, 2)), np.full((17, 2), 5.0), np.tile([3.0, 0.0], (17, 1))]
    assert np.isfinite(pose_features(np.stack(points), np.zeros(3), COCO_17)).all()


def test_a_trunk_that_points_at_the_camera_counts_as_a_share_of_the_body():
    flat = a_person(COCO_17, left_shoulder=(0.5, 0.0), right_shoulder=(-0.5, 0.0))
    points = normalized(flat[None], COCO_17)[0]
    extent = 3.0 + 2.5  # from the nose to the ankles
    assert np.abs(points).max() == pytest.approx(3.0 / (0.15 * extent))


def test_the_names_are_as_many_as_the_numbers():
    assert (len(feature_names(COCO_17)), len(set(feature_names(COCO_17)))) == (69, 69)


def test_the_joint_sets_are_those_of_the_networks():
    assert COCO_17.joints[5:9] == ("left_shoulder", "right_shoulder", "left_elbow", "right_elbow")
    found = [BLAZEPOSE_33.joints[place] for place in (0, 3, 6, 8, 11, 16, 23, 28, 32)]
    assert found[:5] == ["nose", "left_eye_outer", "right_eye_outer", "right_ear", "left_shoulder"]
    assert found[5:] == ["right_wrist", "left_hip", "right_ankle", "right_foot_index"]
    assert joint_set("coco-17") is COCO_17
    with pytest.raises(UnknownName, match=r"unknown joint set 'coco'.*blazepose-33, coco-17"):
        joint_set("coco")


def test_the_joints_are_torchvisions_in_its_order():
    models = pytest.importorskip("torchvision.models.detection")
    names = models.KeypointRCNN_ResNet50_FPN_Weights.COCO_V1.meta["keypoint_names"]
    assert list(COCO_17.joints) == names
