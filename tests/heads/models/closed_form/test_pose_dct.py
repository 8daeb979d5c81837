"""Pose + DCT: the transform is scipy's and the formula's, and a planted movement is found."""

import math

import numpy as np
import pytest
import torch
from scipy.fft import dct
from scipy.stats import spearmanr

from aqa_pipeline.poses import BLAZEPOSE_33, COCO_17, feature_names, pose_features
from heads.models.closed_form.pose_dct import NUM_FREQUENCIES, PoseDct, low_frequencies, tracks_of

MOST = max(NUM_FREQUENCIES)

REST = np.zeros((17, 2))
for _name, _place in {
    "shoulder": (0.5, -2),
    "elbow": (0.8, -1.2),
    "wrist": (0.9, -0.4),
    "hip": (0.4, 0),
    "knee": (0.4, 1.5),
    "ankle": (0.4, 3),
}.items():
    for _side, _sign in (("left", 1), ("right", -1)):
        REST[COCO_17.joints.index(f"{_side}_{_name}")] = (_sign * _place[0], _place[1])
REST[0] = (0, -2.5)


def padded(lengths, dim, seed=0):
    """Return random tracks (batch, time, dim) with rubbish as padding, and the mask."""
    rng = np.random.default_rng(seed)
    features = torch.from_numpy(rng.normal(0, 1, (len(lengths), max(lengths), dim)))
    return features, torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]


def test_the_transform_is_scipys_of_each_videos_own_steps():
    lengths = [7, 1, 60, 12]
    tracks, mask = padded(lengths, 3)
    found = low_frequencies(tracks, mask, num=20).numpy()
    for video, length in enumerate(lengths):
        own = dct(tracks[video, :length].numpy(), type=2, axis=0) / (2 * length)
        expected = np.zeros((20, 3))
        expected[: min(length, 20)] = own[:20]
        np.testing.assert_allclose(found[video], expected, rtol=1e-5, atol=1e-6)


def test_the_transform_is_the_formula():
    track = [1.0, 3.0, -2.0, 0.5]
    found = low_frequencies(torch.tensor(track)[None, :, None].double(), torch.ones(1, 4, dtype=bool), num=4)
    by_hand = [
        sum(x * math.cos(math.pi * k * (t + 0.5) / 4) for t, x in enumerate(track)) / 4 for k in range(4)
    ]
    assert found[0, :, 0].tolist() == pytest.approx(by_hand, abs=1e-6)


def test_a_cosine_has_one_coefficient_whatever_its_length():
    for length in (20, 45):
        wave = torch.cos(torch.pi * 3 * (torch.arange(length) + 0.5) / length)
        found = low_frequencies(wave[None, :, None].double(), torch.ones(1, length, dtype=bool), num=6)
        assert found[0, :, 0].tolist() == pytest.approx([0, 0, 0, 0.5, 0, 0], abs=1e-6)


def test_a_video_without_steps_has_zeros():
    found = low_frequencies(torch.ones(1, 4, 2).double(), torch.zeros(1, 4, dtype=bool), num=3)
    assert found.abs().sum() == 0


@pytest.mark.parametrize("joint_set", [COCO_17, BLAZEPOSE_33], ids=lambda each: each.name)
def test_tracks_are_joints_relative_to_the_head(joint_set):
    rng = np.random.default_rng(0)
    joints = rng.normal(0, 50, (9, len(joint_set), 2))
    features = torch.from_numpy(pose_features(joints, np.arange(9) / 5, joint_set))[None]
    head = PoseDct({"poses": features.shape[2]})
    numbers, weights = head.numbers(features, torch.ones(1, 9, dtype=bool))
    points = features[0, :, : 2 * len(joint_set)].numpy().reshape(9, -1, 2)
    relative = (points - points[:, :1]).reshape(9, -1)
    expected = np.abs(dct(relative, type=2, axis=0)) / 18
    found = numbers.numpy().reshape(MOST, -1)
    np.testing.assert_allclose(found[:9], expected, atol=1e-5)
    assert not found[:, :2].any()  # the head itself
    assert weights.tolist() == [[pytest.approx(1 / 9)] * 9]


def test_features_that_are_no_poses_are_tracks_as_they_are():
    assert tracks_of(len(feature_names(BLAZEPOSE_33))) == (66, 0)
    assert tracks_of(len(feature_names(COCO_17))) == (34, 0)
    assert tracks_of(1024) == (1024, None)


def test_it_finds_how_far_the_limbs_swing():
    """The score is the size of a slow swing of arms and legs; the camera's distance varies."""
    rng = np.random.default_rng(0)
    features, sizes = [], rng.uniform(0.1, 1, 60)
    for size in sizes:
        joints = rng.normal(0, 0.02, (40, 17, 2)) + REST
        swing = size * np.cos(np.pi * 4 * (np.arange(40) + 0.5) / 40)
        for joint in (*range(7, 11), *range(13, 17)):  # elbows, wrists, knees, ankles
            joints[:, joint, 1] += swing
        features.append(pose_features(joints * rng.uniform(20, 90), np.arange(40) / 5, COCO_17))
    streams = {"poses": torch.from_numpy(np.stack(features))}
    masks = {"poses": torch.ones(60, 40, dtype=bool)}
    head = PoseDct({"poses": 69})
    train, test = slice(0, 40), slice(40, 60)
    head.fit_videos(
        {"poses": streams["poses"][train]}, {"poses": masks["poses"][train]}, sizes[train], folds=[], seed=0
    )
    scores = head({"poses": streams["poses"][test]}, {"poses": masks["poses"][test]}).scores
    assert spearmanr(scores, sizes[test]).statistic > 0.9


def test_unused_frequencies_have_no_coefficients():
    features, mask = padded([30] * 20, 4)
    head = PoseDct({"poses": 4})
    numbers, _ = head.numbers(features, mask)
    head.fit(numbers.numpy(), numbers[:, 0].numpy() / numbers[:, 0].max().item(), seed=0)
    used = head.get_buffer("coefficients").reshape(MOST, 4).abs().sum(dim=1).nonzero().max() + 1
    assert used in NUM_FREQUENCIES
    assert torch.isfinite(head({"poses": features}, {"poses": mask}).scores).all()
