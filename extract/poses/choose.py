"""Load a pose network by its name. Its libraries are imported only then."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aqa_pipeline.errors import UnknownName, WeightsError
from aqa_pipeline.poses import BLAZEPOSE_33, COCO_17, JointSet
from aqa_pipeline.weights import find_weights
from extract.poses.network import PoseNetwork

Load = Callable[[Path, str], PoseNetwork]


@dataclass(frozen=True)
class PoseKind:
    """A pose network before it is loaded.

    `weights` are the names in `aqa weights` that it needs, its own first. `load` takes the path of its own
    weights and the device.
    """

    name: str
    joint_set: JointSet
    weights: tuple[str, ...]
    source: str
    load: Load


def _blazepose(path: Path, device: str) -> PoseNetwork:
    from extract.poses.blazepose import load_blazepose_landmarks

    return load_blazepose_landmarks(path)


def _keypoint_rcnn(path: Path, device: str) -> PoseNetwork:
    from extract.poses.keypoint_rcnn import load_keypoint_rcnn

    return load_keypoint_rcnn(path, device=device)


POSE_NETWORKS = {
    kind.name: kind
    for kind in (
        PoseKind(
            "blazepose-full",
            BLAZEPOSE_33,
            ("blazepose-full", "blazepose-detection"),
            "Bazarevsky et al., 2020; MediaPipe (Apache-2.0)",
            _blazepose,
        ),
        PoseKind(
            "keypointrcnn_resnet50_fpn",
            COCO_17,
            ("keypointrcnn_resnet50_fpn",),
            "He et al., ICCV 2017; torchvision (BSD-3-Clause)",
            _keypoint_rcnn,
        ),
    )
}


def find_pose_network(name: str) -> PoseKind:
    """Return the pose network of that name; raise `UnknownName`."""
    if name not in POSE_NETWORKS:
        raise UnknownName("pose network", name, POSE_NETWORKS)
    return POSE_NETWORKS[name]


def load_pose_network(name: str, *, weights: str, device: str) -> PoseNetwork:
    """Return the pose network of that name, with `weights` "official" or the path of a file.

    Raise `UnknownName`, or `WeightsError` if weights or a package are missing.
    """
    kind = find_pose_network(name)
    if re.match(r"random\b", weights):
        raise WeightsError(f"{name} with random weights finds no joints: leave out --weights {weights}.")
    path = find_weights(kind.weights[0]) if weights == "official" else Path(weights)
    if not path.is_file():
        raise WeightsError(f"no checkpoint at {path}")
    return kind.load(path, device)
