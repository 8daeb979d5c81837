"""Keypoint R-CNN of torchvision: the 17 joints of COCO.

Paper: He et al., "Mask R-CNN", ICCV 2017, section 5. The network looks for persons itself; of these, the one
that overlaps the athlete's box most counts. It knows no depth.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torchvision.models.detection import keypointrcnn_resnet50_fpn

from aqa_pipeline.errors import WeightsError
from aqa_pipeline.poses import COCO_17, JointSet
from aqa_pipeline.records import SpecValue
from aqa_pipeline.weights import load_state_dict, sha256_of
from extract.detectors.continuity import overlap
from extract.full_precision import full_float32

LEAST_OVERLAP = 0.3


@dataclass(frozen=True, eq=False)
class KeypointRcnn:
    """Keypoint R-CNN with weights."""

    weights_sha256: str
    device: str
    network: nn.Module = field(repr=False)
    name: str = "keypointrcnn_resnet50_fpn"

    @property
    def joint_set(self) -> JointSet:
        """The 17 joints of COCO."""
        return COCO_17

    @property
    def facts(self) -> Mapping[str, SpecValue]:
        """The network's part of a stream's spec."""
        return {
            "backbone": self.name,
            "weights": f"sha256:{self.weights_sha256}",
            "preprocess": "whole-frame-800",
            "precision": "fp32",
        }

    def estimate(self, frame: np.ndarray, box: np.ndarray) -> np.ndarray | None:
        """Return the joints (17, 4) of the person in the box, or None if no person overlaps it by 0.3.

        The visibility is the sigmoid of the network's score of a joint.
        """
        picture = torch.from_numpy(frame).to(self.device).permute(2, 0, 1).float().div_(255)  # to (C, H, W)
        with torch.inference_mode(), full_float32():
            found = {name: values.cpu() for name, values in self.network([picture])[0].items()}
        overlaps = [overlap(box, other) for other in found["boxes"].numpy()]
        if not overlaps or max(overlaps) < LEAST_OVERLAP:
            return None
        at = int(np.argmax(overlaps))
        places, scores = found["keypoints"][at, :, :2], found["keypoints_scores"][at]
        joints = torch.column_stack([places, torch.zeros_like(scores), scores.sigmoid()])
        return joints.double().numpy()


def load_keypoint_rcnn(path: Path, *, device: str) -> KeypointRcnn:
    """Return the network with the weights at `path`; raise `WeightsError` if they do not fit."""
    network = keypointrcnn_resnet50_fpn(weights=None, weights_backbone=None)
    try:
        # As in torchvision's detectors, only the counters `num_batches_tracked` may be absent.
        network.load_state_dict(load_state_dict(path))
    except RuntimeError as error:
        raise WeightsError(f"{path} does not fit Keypoint R-CNN: {str(error)[:600]}") from error
    return KeypointRcnn(sha256_of(path), device, network.eval().to(device))
