"""The interface of a pose network."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from aqa_pipeline.poses import JointSet
from aqa_pipeline.records import SpecValue


class PoseNetwork(Protocol):
    """Finds the joints of one person."""

    @property
    def joint_set(self) -> JointSet:
        """Return which joints it finds."""
        ...

    @property
    def facts(self) -> Mapping[str, SpecValue]:
        """Return the network's part of a stream's spec: `backbone`, `weights`, and how pictures are cut."""
        ...

    def estimate(self, frame: np.ndarray, box: np.ndarray) -> np.ndarray | None:
        """Return the joints (joint, 4) of the person in the box; None if the network sees no pose there.

        `frame` is RGB, uint8 (height, width, 3), and `box` x1 y1 x2 y2 in its pixels. A row is x, y, z in
        pixels of the frame, and the visibility from 0 to 1. z is negative in front of the hips, and 0 if the
        network knows no depth. Joints may lie outside the frame.
        """
        ...
