"""Compute and draw the athlete of the synthetic routines: from joint angles to points, picture and box."""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aqa_pipeline.datasets.synthetic.element_motions import Floats

Picture = npt.NDArray[np.uint8]
Color = tuple[int, int, int]

# In meters.
TORSO, NECK_AND_HEAD, HEAD_RADIUS = 0.50, 0.21, 0.115
UPPER_ARM, FOREARM, THIGH, SHIN, FOOT = 0.28, 0.29, 0.44, 0.44, 0.14
HALF_SHOULDERS, HALF_HIPS = 0.16, 0.085

JOINTS = (
    *("pelvis", "chest", "head", "face", "bun"),
    *("right_shoulder", "right_elbow", "right_hand", "left_shoulder", "left_elbow", "left_hand"),
    *("right_hip", "right_knee", "right_ankle", "right_toe"),
    *("left_hip", "left_knee", "left_ankle", "left_toe"),
)


@dataclass(frozen=True)
class Bone:
    """A tapered capsule between two joints. Radii are in meters; `part` selects the color."""

    start: str
    stop: str
    start_radius: float
    stop_radius: float
    part: str


def _bones() -> tuple[Bone, ...]:
    bones = [
        Bone("pelvis", "chest", 0.115, 0.125, "suit"),
        Bone("right_shoulder", "left_shoulder", 0.062, 0.062, "suit"),
        Bone("right_hip", "left_hip", 0.105, 0.105, "suit"),
        Bone("chest", "head", 0.05, 0.05, "skin"),
        Bone("head", "bun", HEAD_RADIUS, 0.055, "hair"),
        Bone("face", "face", 0.1, 0.1, "skin"),
    ]
    for side in ("right", "left"):
        bones += [
            Bone(f"{side}_shoulder", f"{side}_elbow", 0.062, 0.050, "suit"),
            Bone(f"{side}_elbow", f"{side}_hand", 0.048, 0.034, "skin"),
            Bone(f"{side}_hip", f"{side}_knee", 0.098, 0.066, "tights"),
            Bone(f"{side}_knee", f"{side}_ankle", 0.066, 0.042, "tights"),
            Bone(f"{side}_ankle", f"{side}_toe", 0.044, 0.030, "shoes"),
        ]
    return tuple(bones)


BONES = _bones()
_START = [JOINTS.index(bone.start) for bone in BONES]
_STOP = [JOINTS.index(bone.stop) for bone in BONES]
_RADII = np.array([[bone.start_radius, bone.stop_radius] for bone in BONES])
_ARC = np.linspace(-np.pi / 2, np.pi / 2, 9)
# cv2 takes fixed-point corners: 4 fractional bits are sixteenths of a pixel.
_FRACTION_BITS = 4


@dataclass(frozen=True)
class Look:
    """Colors (red, green, blue) by part of the body."""

    suit: Color
    tights: Color
    skin: Color
    hair: Color
    shoes: Color


def joint_positions(motion: Mapping[str, Floats]) -> Floats:
    """Return joint positions in meters, (frame, joint, 3): right, up, toward the viewer.

    The lowest joint is `lift` above the floor.
    """
    zeros, ones = np.zeros_like(motion["lean"]), np.ones_like(motion["lean"])
    lean = np.radians(motion["lean"])
    spine = np.stack([np.sin(lean), np.cos(lean), zeros], axis=-1)
    sideways = np.stack([zeros, zeros, ones], axis=-1)
    backward = np.stack([-ones, zeros, zeros], axis=-1)
    points = {"pelvis": np.zeros_like(spine), "chest": TORSO * spine}
    points["head"] = points["chest"] + NECK_AND_HEAD * spine
    points["face"] = points["head"] - 0.035 * backward - 0.02 * spine
    points["bun"] = points["head"] + 0.10 * backward + 0.07 * spine
    for side, sign in (("right", 1.0), ("left", -1.0)):
        points[f"{side}_shoulder"] = 0.94 * points["chest"] + sign * HALF_SHOULDERS * sideways
        points[f"{side}_hip"] = sign * HALF_HIPS * sideways
        upper, lower = _limb(motion, f"{side}_arm", sign=sign, bend_sign=1.0)
        points[f"{side}_elbow"] = points[f"{side}_shoulder"] + UPPER_ARM * upper
        points[f"{side}_hand"] = points[f"{side}_elbow"] + FOREARM * lower
        upper, lower = _limb(motion, f"{side}_leg", sign=sign, bend_sign=-1.0)
        points[f"{side}_knee"] = points[f"{side}_hip"] + THIGH * upper
        points[f"{side}_ankle"] = points[f"{side}_knee"] + SHIN * lower
        points[f"{side}_toe"] = points[f"{side}_ankle"] + FOOT * (0.75 * lower - 0.66 * backward)
    body = np.stack([points[name] for name in JOINTS], axis=1)
    seen = _rotate(body, motion["yaw"], axes=(0, 2))
    seen = _rotate(seen, motion["roll"], axes=(1, 0))
    seen[..., 1] += (motion["lift"] - (seen[..., 1].min(axis=1) - 0.04))[:, None]
    seen[..., 0] += motion["travel"][:, None]
    return seen


def _limb(motion: Mapping[str, Floats], limb: str, *, sign: float, bend_sign: float) -> tuple[Floats, Floats]:
    """Return the directions of the upper and the lower half of a limb."""
    swing, spread = motion[f"{limb}_swing"], np.radians(motion[f"{limb}_spread"])

    def direction(degrees: Floats) -> Floats:
        angle = np.radians(degrees)
        forward, down = np.sin(angle) * np.cos(spread), np.cos(angle) * np.cos(spread)
        return np.stack([forward, -down, sign * np.sin(spread)], axis=-1)

    return direction(swing), direction(swing + bend_sign * motion[f"{limb}_bend"])


def _rotate(points: Floats, degrees: Floats, *, axes: tuple[int, int]) -> Floats:
    """Turn vectors, (frame, joint, 3), from the first axis toward the second."""
    first, second = axes
    cos, sin = np.cos(np.radians(degrees))[:, None], np.sin(np.radians(degrees))[:, None]
    turned = points.copy()
    turned[..., first] = cos * points[..., first] - sin * points[..., second]
    turned[..., second] = sin * points[..., first] + cos * points[..., second]
    return turned


def figure_box(points: Floats, *, pixels_per_meter: float) -> Floats:
    """Return the box `x1 y1 x2 y2` around the drawn figure, in pixels. `points` is (joint, 2) in pixels."""
    # Drawn edges are smoothed over about two pixels, and pixel (0, 0) covers -0.5 to 0.5 when drawn.
    radii = (_RADII * pixels_per_meter + 2.5).reshape(-1, 1)
    centers = np.stack([points[_START], points[_STOP]], axis=1).reshape(-1, 2)
    return np.concatenate([(centers - radii).min(axis=0), (centers + radii).max(axis=0)]) + 0.5


def draw_figure(
    picture: Picture, points: Floats, depths: Floats, *, pixels_per_meter: float, look: Look
) -> None:
    """Draw the athlete into `picture` (height, width, RGB), far limbs first and a little darker.

    `points`: (joint, 2) pixels; `depths`: (joint,) meters toward the viewer.
    """
    near = (depths[_START] + depths[_STOP]) / 2
    start, stop, radii = points[_START], points[_STOP], _RADII * pixels_per_meter
    outlines = _capsules(start, stop, radii)
    # The light comes from the upper left.
    lights = _capsules(start - 0.22 * radii[:, :1], stop - 0.22 * radii[:, 1:], 0.7 * radii)
    shades = 0.92 + 0.5 * np.clip(near, -0.3, 0.16)
    # Joints of one depth keep the order of BONES: the head over the neck, the face over the hair.
    for index in np.argsort(np.round(near, 2), kind="stable"):
        color, shade = getattr(look, BONES[index].part), float(shades[index])
        _fill(picture, outlines[index], _shaded(color, 0.78 * shade))
        _fill(picture, lights[index], _shaded(color, shade))


def _capsules(start: Floats, stop: Floats, radii: Floats) -> npt.NDArray[np.int32]:
    """Return outlines in fixed-point pixels, (bone, corner, 2): half a circle around each end."""
    along = np.arctan2(stop[:, 1] - start[:, 1], stop[:, 0] - start[:, 0])[:, None]
    angles = np.concatenate([along + _ARC, along + _ARC + np.pi], axis=1)
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    centers = np.repeat(np.stack([stop, start], axis=1), len(_ARC), axis=1)
    reach = np.repeat(radii[:, ::-1], len(_ARC), axis=1)[..., None]
    return np.round((centers + reach * ring) * 2**_FRACTION_BITS).astype(np.int32)


def _fill(picture: Picture, corners: npt.NDArray[np.int32], color: Color) -> None:
    cv2.fillConvexPoly(picture, corners, color, lineType=cv2.LINE_AA, shift=_FRACTION_BITS)


def _shaded(color: Color, factor: float) -> Color:
    red, green, blue = color
    return min(255, int(red * factor)), min(255, int(green * factor)), min(255, int(blue * factor))
