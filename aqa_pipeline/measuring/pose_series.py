"""The poses of one video over time, and the angles of their joints."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.poses import JointSet
from aqa_pipeline.poses.features import ANGLES
from aqa_pipeline.poses.joints import SIDES
from aqa_pipeline.poses.skeleton import LEAST_VISIBILITY

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PoseSeries:
    """Joints (step, joint, 4) as the stream `poses` stores them: x, y, z in pixels, and the visibility.

    `seconds` (step) are the times of their frames. `covered` (step, 2) are the seconds [start, stop) that a
    pose stands for. `made_by` says how the poses were made, and `tracking` where the athlete was lost or
    another person was followed; None if neither is known.
    """

    seconds: Floats
    covered: Floats
    joints: Floats
    joint_set: JointSet
    made_by: str
    tracking: str | None = None

    @cached_property
    def angles(self) -> dict[str, Floats]:
        """The signed angles (step) of each joint in the picture, in degrees from -180 to 180, by its name.

        The angle of a joint is the absolute value; the sign says to which side it is bent, so that noise
        around a straight joint stays noise around 180. Hidden joints have nan.
        """
        return {f"{side} {joint}": self._signed(side, joint) for joint in ANGLES for side in SIDES}

    def least_visibility(self, name: str) -> Floats:
        """Return the least visibility (step) of the three joints of an angle, such as `left knee`."""
        side, joint = name.split()
        least: Floats = self.joints[:, self._places(side, joint), 3].min(axis=1)
        return least

    def _signed(self, side: str, joint: str) -> Floats:
        one, middle, other = np.moveaxis(self.joints[:, self._places(side, joint), :2], 1, 0)
        (x, y), (u, v) = (one - middle).T, (other - middle).T
        degrees = np.degrees(np.arctan2(x * v - y * u, x * u + y * v))
        has_bones = (np.hypot(x, y) > 0) & (np.hypot(u, v) > 0)
        is_seen = self.least_visibility(f"{side} {joint}") >= LEAST_VISIBILITY
        return np.where(has_bones & is_seen, degrees, np.nan)

    def _places(self, side: str, joint: str) -> list[int]:
        one, other = ANGLES[joint]
        return self.joint_set.places(f"{side}_{part}" for part in (one, joint, other))
