"""The anchors of BlazePose's detector: points of three grids."""

import numpy as np

# (cells per side, anchors per cell): strides 8, 16 and three times 32 of a picture of 224, two anchors each
GRIDS = ((28, 2), (14, 2), (7, 6))


def anchor_centers() -> np.ndarray:
    """Return the centers (2254, 2), x and y from 0 to 1; all anchors have the size of the picture.

    Anchors come row by row, those of one cell together: the first two are both at (0.5 / 28, 0.5 / 28).
    """
    return np.concatenate([np.repeat(_cell_centers(cells), number, axis=0) for cells, number in GRIDS])


def _cell_centers(cells: int) -> np.ndarray:
    middle = (np.arange(cells) + 0.5) / cells
    y, x = np.meshgrid(middle, middle, indexing="ij")
    return np.column_stack([x.ravel(), y.ravel()])
