"""Choose a box from the network's outputs: SiamRPN's choice among 3125 anchors.

Li et al., "High Performance Visual Tracking with Siamese Region Proposal Network", CVPR 2018, section 3.3.

The casts reproduce NumPy 1, which made the official results: there, a float32 array with a float64 number
gives float32, and a float32 number times a Python float gives float64. NumPy 2 differs, which would move
boxes by some 1e-6 pixels.
"""

import math
from dataclasses import dataclass

import numpy as np

from extract.trackers.siammask.settings import Setting

STRIDE, GRID = 8, 25
ANCHOR_AREA, ANCHOR_SCALE = STRIDE * STRIDE, 8
RATIOS = (0.33, 0.5, 1, 2, 3)


@dataclass(frozen=True)
class Proposal:
    """The chosen box in pixels of the frame, its score in [0, 1], and its grid position (row, column).

    `weight`, 0 to 1, is the share of this box in the target's next size.
    """

    position: np.ndarray
    size: np.ndarray
    score: float
    weight: float
    grid_position: tuple[int, int]


def _anchors() -> np.ndarray:
    """Return (4, 5, 25, 25) float32: x, y (from the middle of the search picture), width, height."""
    offsets = (np.arange(GRID) - GRID // 2) * STRIDE
    anchors = np.empty((4, len(RATIOS), GRID, GRID), np.float32)
    anchors[0], anchors[1] = offsets[None, None, :], offsets[None, :, None]
    for at, ratio in enumerate(RATIOS):
        width = int(math.sqrt(ANCHOR_AREA / ratio))
        anchors[2, at], anchors[3, at] = width * ANCHOR_SCALE, int(width * ratio) * ANCHOR_SCALE
    return anchors


def _window() -> np.ndarray:
    """Return (3125,) float64: 1 in the middle of the grid, 0 at its border, the same for every anchor."""
    return np.tile(np.outer(np.hanning(GRID), np.hanning(GRID)).ravel(), len(RATIOS))


ANCHORS, WINDOW = _anchors().reshape(4, -1), _window()


def choose_proposal(
    boxes: np.ndarray,
    scores: np.ndarray,
    *,
    position: np.ndarray,
    size: np.ndarray,
    scale: float,
    setting: Setting,
) -> Proposal:
    """Return the best of the boxes `loc` (20, 25, 25) with foreground probabilities (3125,), both float32.

    `position` (x, y) and `size` (width, height), float64, are the target's in the last frame. `scale` is
    pixels of the search picture per pixel of the frame.
    """
    decoded = decode_boxes(boxes)
    penalty = shape_penalty(decoded[2:], size * scale, penalty_k=setting.penalty_k)
    influence = setting.window_influence
    ranked = penalty * scores * (1 - influence) + WINDOW * influence
    best = int(ranked.argmax())
    chosen = decoded[:, best] / np.float32(scale)
    _, row, column = np.unravel_index(best, (len(RATIOS), GRID, GRID))
    return Proposal(
        position=chosen[:2] + position,
        size=chosen[2:],
        score=float(scores[best]),
        weight=float(np.float64(penalty[best] * scores[best]) * setting.smoothing),
        grid_position=(int(row), int(column)),
    )


def decode_boxes(boxes: np.ndarray) -> np.ndarray:
    """Return x, y, width, height (4, 3125) float32 for dx, dy, dw, dh of every anchor (20, 25, 25)."""
    delta = boxes.reshape(4, -1)
    centers = delta[:2] * ANCHORS[2:] + ANCHORS[:2]
    return np.concatenate([centers, np.exp(delta[2:]) * ANCHORS[2:]])


def shape_penalty(sizes: np.ndarray, last: np.ndarray, *, penalty_k: float) -> np.ndarray:
    """Return factors (box,) float32: 1 for sizes (2, box) with the `last` size and shape, else less."""
    width, height = sizes
    size_change = _change(_context(width, height) / np.float32(_context(last[0], last[1])))
    shape_change = _change(np.float32(last[0] / last[1]) / (width / height))
    penalty: np.ndarray = np.exp(-(shape_change * size_change - 1) * penalty_k)
    return penalty


def _context(width: np.ndarray, height: np.ndarray) -> np.ndarray:
    pad = (width + height) * 0.5
    context: np.ndarray = np.sqrt((width + pad) * (height + pad))
    return context


def _change(ratio: np.ndarray) -> np.ndarray:
    """Return how much a ratio differs from 1 in either direction: 1/2 and 2 -> 2."""
    change: np.ndarray = np.maximum(ratio, 1.0 / ratio)
    return change
