"""The fixed simplex of CoFInAl: vertices at equal angles, one per fine grade."""

import numpy as np
import torch
from torch import Tensor

NUM_FINE = 100


def simplex(num_vertices: int = NUM_FINE, *, seed: int = 0) -> Tensor:
    """Return unit vectors in the columns of a matrix `(dim, vertex)`; any two have the product -1 / (n - 1).

    It is `sqrt(n / (n - 1)) U (I - 1 / n)`. The orthogonal matrix U comes from a QR decomposition of uniform
    random numbers of that seed, as in the released code, whose seed is 0.
    """
    drawn = np.random.RandomState(seed).random_sample((num_vertices, num_vertices))
    orthogonal = np.linalg.qr(drawn).Q.astype(np.float32)
    centered = np.eye(num_vertices, dtype=np.float32) - np.float32(1 / num_vertices)
    return torch.tensor(orthogonal @ centered * np.float32((num_vertices / (num_vertices - 1)) ** 0.5))
