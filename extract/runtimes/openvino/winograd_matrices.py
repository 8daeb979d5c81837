"""The matrices of Winograd's algorithm F(4, r): four outputs from 3 + r inputs and r taps.

    y = A [(G g) * (B d)]      with outputs y, taps g, inputs d; * is elementwise

(Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2015, section 4.1.)
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

NUM_OUTPUTS = 4
POINTS = (0, 1, -1, 2, -2, 0.5)  # the interpolation points; infinity is one more
MOST_TAPS = len(POINTS) + 2 - NUM_OUTPUTS


@dataclass(frozen=True, eq=False)
class Transforms:
    """`A` (output, product), `B` (product, input) and `G` (product, tap)."""

    A: np.ndarray
    B: np.ndarray
    G: np.ndarray


@cache
def transforms(num_taps: int) -> Transforms:
    """Return the matrices for up to `MOST_TAPS` taps, by Toom-Cook interpolation."""
    num_products = NUM_OUTPUTS + num_taps - 1
    points = np.array(POINTS[: num_products - 1])
    others = [np.delete(points, at) for at in range(len(points))]
    A, B, G = (np.zeros((num_products, columns)) for columns in (NUM_OUTPUTS, num_products, num_taps))
    A[:-1] = np.vander(points, NUM_OUTPUTS, increasing=True)
    G[:-1] = np.vander(points, num_taps, increasing=True)
    G[:-1] /= [[np.prod(point - rest)] for point, rest in zip(points, others, strict=True)]
    B[:-1, :-1] = [np.poly(rest)[::-1] for rest in others]
    B[-1] = np.poly(points)[::-1]
    A[-1, -1] = G[-1, -1] = 1  # the value at infinity is the highest coefficient
    return Transforms(A.T, B, G)
