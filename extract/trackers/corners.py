"""Corners of boxes and quads, in pixels; x grows to the right and y grows down."""

import numpy as np

from aqa_pipeline.errors import AqaError


def box_quad(box: np.ndarray) -> np.ndarray:
    """Return the corners (4, 2) float32 of a box x1 y1 x2 y2, clockwise from the upper left corner."""
    x1, y1, x2, y2 = (float(side) for side in box[:4])
    return np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], np.float32)


def bounding_box(quad: np.ndarray) -> np.ndarray:
    """Return the smallest upright box x1 y1 x2 y2 (4,) float32 around the corners (4, 2)."""
    return np.concatenate([quad.min(axis=0), quad.max(axis=0)]).astype(np.float32)


def canonical(quad: np.ndarray) -> np.ndarray:
    """Return the corners (4, 2) of a convex quad in the order of `box_quad`: clockwise, from the least x + y.

    If two sums are equal, the upper corner comes first. The order of `cv2.boxPoints` depends on OpenCV's
    version.
    """
    center = quad.mean(axis=0, dtype=np.float64)
    angles = np.arctan2(quad[:, 1] - center[1], quad[:, 0] - center[0])  # y grows down: growing is clockwise
    ordered = quad[np.argsort(angles, kind="stable")]
    start = np.lexsort((ordered[:, 1], ordered.sum(axis=1)))[0]
    return np.roll(ordered, -start, axis=0)


def vot_box(quad: np.ndarray) -> np.ndarray:
    """Return the upright box x1 y1 x2 y2 (4,) float64 with the center and area of a rotated box.

    This is the convention of the VOT challenge, with which SiamMask starts from 8 numbers. The sides are one
    pixel longer, because corners name pixels there. Raise `AqaError` for corners without an area.
    """
    corners = quad.astype(np.float64)
    low, high = corners.min(axis=0), corners.max(axis=0)
    upright_area = float(np.prod(high - low))
    if upright_area <= 0:
        raise AqaError(f"a track cannot start from the corners {quad.tolist()}: expected a box with an area")
    sides = np.linalg.norm(corners[:2] - corners[1:3], axis=1)  # of the first two edges
    center, size = corners.mean(axis=0), np.sqrt(sides.prod() / upright_area) * (high - low) + 1
    return np.concatenate([center - size / 2, center + size / 2])
