"""A rotated square of a frame: cut it out of the frame, and map its points back."""

from dataclasses import dataclass

import cv2
import numpy as np

# A standing person's width in heights: Dollár et al., "Pedestrian Detection: An Evaluation of the State of
# the Art", PAMI 2012, 2.2.
ASPECT = 0.41


@dataclass(frozen=True, eq=False)
class Region:
    """A square of `side` pixels around `center` (x, y), turned by `angle` radians, clockwise as seen."""

    center: np.ndarray
    side: float
    angle: float = 0.0

    @property
    def _axes(self) -> np.ndarray:
        """The directions of the square's x and y in the frame, as columns."""
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        return np.array([[cos, -sin], [sin, cos]])

    def to_frame(self, points: np.ndarray) -> np.ndarray:
        """Return points (..., 2), from 0 to 1 in the square, in pixels of the frame."""
        mapped: np.ndarray = self.center + (points - 0.5) * self.side @ self._axes.T
        return mapped

    def cut(self, frame: np.ndarray, size: int) -> np.ndarray:
        """Return the square as a picture (size, size, 3), uint8; black outside the frame."""
        corner = self.to_frame(np.full(2, 0.5 / size)) - 0.5  # OpenCV counts from the centers of pixels
        matrix = np.column_stack([self._axes * self.side / size, corner])
        return cv2.warpAffine(frame, matrix, (size, size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


def whole_frame_region(frame: np.ndarray) -> Region:
    """Return the smallest square around the frame (height, width, 3), upright."""
    height, width = frame.shape[:2]
    return Region(np.array([width / 2, height / 2]), float(max(width, height)))


def region_of_person(hips: np.ndarray, scale_point: np.ndarray, *, scale: float = 1.0) -> Region:
    """Return the square around the whole body, turned so that the body is upright in it.

    The circle around the middle of the `hips` through the `scale_point` (pixels) encloses the body, and the
    scale point lies above the head. `scale` enlarges the square.
    """
    x, y = scale_point - hips
    return Region(hips, float(2 * scale * np.hypot(x, y)), float(np.arctan2(x, -y)))


def box_of_person(hips: np.ndarray, scale_point: np.ndarray) -> np.ndarray:
    """Return the box x1 y1 x2 y2 in pixels around the body: a rectangle along its axis, of aspect 0.41."""
    axis = scale_point - hips
    reach = np.abs(axis) + ASPECT * np.abs(axis[::-1])
    return np.concatenate([hips - reach, hips + reach])
