"""Keypoint R-CNN: of its persons, the one in the athlete's box counts."""

import numpy as np
import pytest
import torch

from aqa_pipeline.errors import WeightsError
from extract.poses.keypoint_rcnn import KeypointRcnn, load_keypoint_rcnn

BOXES = torch.tensor([[0.0, 0, 20, 40], [50, 10, 70, 50]])


class Network(torch.nn.Module):
    """A network that sees two persons; the joints of the second one are all at (60, 30)."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, pictures):
        self.seen += pictures
        points = torch.tensor([[10.0, 20, 1], [60, 30, 1]])[:, None].expand(2, 17, 3)
        scores = torch.tensor([[0.0], [2.0]]).expand(2, 17)
        return [{"boxes": BOXES, "keypoints": points, "keypoints_scores": scores}]


def test_the_person_in_the_box_counts():
    network = Network()
    pose = KeypointRcnn("f" * 64, "cpu", network)
    joints = pose.estimate(np.full((60, 80, 3), 255, np.uint8), np.array([48.0, 12, 70, 52]))
    np.testing.assert_allclose(joints, np.tile([60, 30, 0, 1 / (1 + np.exp(-2))], (17, 1)), rtol=1e-6)
    assert (network.seen[0].shape, network.seen[0].max()) == ((3, 60, 80), 1.0)
    assert pose.joint_set.name == "coco-17"


def test_nobody_in_the_box_gives_no_joints():
    pose = KeypointRcnn("f" * 64, "cpu", Network())
    assert pose.estimate(np.zeros((60, 80, 3), np.uint8), np.array([30.0, 10, 40, 50])) is None


def test_other_weights_are_refused(tmp_path, weightless):
    torch.save({"backbone.a": torch.zeros(1)}, tmp_path / "a.pth")
    with pytest.raises(WeightsError, match=r"a\.pth does not fit Keypoint R-CNN"):
        load_keypoint_rcnn(tmp_path / "a.pth", device="cpu")


def test_its_own_weights_load_strictly(tmp_path, weightless):
    from torchvision.models.detection import keypointrcnn_resnet50_fpn

    torch.save(
        keypointrcnn_resnet50_fpn(weights=None, weights_backbone=None).state_dict(), tmp_path / "a.pth"
    )
    network = load_keypoint_rcnn(tmp_path / "a.pth", device="cpu")
    assert not network.network.training
    assert network.facts["weights"].startswith("sha256:")
