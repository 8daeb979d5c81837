"""Boxes and quads: corners in pixels, x to the right and y down."""

import numpy as np

from aqa_pipeline.errors import AqaError


def box_quad(box: np.ndarray) -> np.ndarray:
    """The corners (4, 2) float32 of a box x1 y1 x2 y2, clockwise from the upper left one."""
    x1, y1, x2, y2 = (float(side) for side in box[:4])
    return np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], np.float32)


def bounding_box(quad: np.ndarray) -> np.ndarray:
    """The least box x1 y1 x2 y2 (4,) float32 around the corners (4, 2)."""
    return np.concatenate([quad.min(axis=0), quad.max(axis=0)]).astype(np.float32)


def canonical(quad: np.ndarray) -> np.ndarray:
    """The corners (4, 2) of a convex quad as `box_quad` orders them: clockwise, from the least x + y.

    Of equal sums the upper corner comes first. `cv2.boxPoints` starts elsewhere from version to version.
    """
    centre = quad.mean(axis=0, dtype=np.float64)
    angles = np.arctan2(quad[:, 1] - centre[1], quad[:, 0] - centre[0])  # y runs down: growing is clockwise
    ordered = quad[np.argsort(angles, kind="stable")]
    start = np.lexsort((ordered[:, 1], ordered.sum(axis=1)))[0]
    return np.roll(ordered, -start, axis=0)


def vot_box(quad: np.ndarray) -> np.ndarray:
    """The upright box x1 y1 x2 y2 (4,) float64 that stands for a rotated one: same centre, same area.

    The convention of the VOT challenge, with which SiamMask starts from 8 numbers; its sides are one pixel
    longer because corners name pixels there. Raises `AqaError` for corners without an area.
    """
    corners = quad.astype(np.float64)
    low, high = corners.min(axis=0), corners.max(axis=0)
    upright_area = float(np.prod(high - low))
    if upright_area <= 0:
        raise AqaError(f"a track cannot start from the corners {quad.tolist()}: expected a box with an area")
    sides = np.linalg.norm(corners[:2] - corners[1:3], axis=1)  # of the first two edges
    centre, size = corners.mean(axis=0), np.sqrt(sides.prod() / upright_area) * (high - low) + 1
    return np.concatenate([centre - size / 2, centre + size / 2])
