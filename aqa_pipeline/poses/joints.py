"""The joints that pose networks find, and the bones between them."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from aqa_pipeline.errors import UnknownName

SIDES = ("left", "right")
LIMB_JOINTS = (
    "shoulder",
    "elbow",
    "wrist",
    "hip",
    "knee",
    "ankle",
)  # every joint set has them, on both sides


@dataclass(frozen=True)
class JointSet:
    """Joints in a network's order, and the bones as pairs of joints. Left and right are the athlete's."""

    name: str
    joints: tuple[str, ...]
    bones: tuple[tuple[str, str], ...]

    def __len__(self) -> int:
        return len(self.joints)

    def places(self, names: Iterable[str]) -> list[int]:
        """Return the places of the named joints. Raise ValueError for an unknown one."""
        return [self.joints.index(name) for name in names]

    @property
    def bone_places(self) -> np.ndarray:
        """The bones as places of their two joints, (bone, 2)."""
        return np.array([self.places(bone) for bone in self.bones])


def _both(*parts: str) -> tuple[str, ...]:
    return tuple(f"{side}_{part}" for part in parts for side in SIDES)


def _chains(*chains: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return the bones along chains of joints, on both sides."""
    pairs = [pair for chain in chains for pair in pairwise(chain)]
    return tuple((f"{side}_{one}", f"{side}_{other}") for one, other in pairs for side in SIDES)


TRUNK = (("left_shoulder", "right_shoulder"), ("left_hip", "right_hip"))
LIMBS = _chains(("shoulder", "elbow", "wrist"), ("shoulder", "hip", "knee", "ankle"))

# torchvision's and COCO's order
COCO_17 = JointSet(
    "coco-17",
    ("nose", *_both("eye", "ear", *LIMB_JOINTS)),
    (*TRUNK, *LIMBS),
)

# MediaPipe's order: the eyes have three points, from the nose outwards
BLAZEPOSE_33 = JointSet(
    "blazepose-33",
    (
        "nose",
        *(f"{side}_{part}" for side in SIDES for part in ("eye_inner", "eye", "eye_outer")),
        *_both("ear", "mouth", "shoulder", "elbow", "wrist", "pinky", "index", "thumb"),
        *_both("hip", "knee", "ankle", "heel", "foot_index"),
    ),
    (*TRUNK, *LIMBS, *_chains(("ankle", "heel", "foot_index", "ankle"), ("wrist", "index"))),
)

JOINT_SETS = {each.name: each for each in (BLAZEPOSE_33, COCO_17)}


def joint_set(name: str) -> JointSet:
    """Return the joint set of that name; raise `UnknownName`."""
    if name not in JOINT_SETS:
        raise UnknownName("joint set", name, JOINT_SETS)
    return JOINT_SETS[name]
