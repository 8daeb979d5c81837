"""Turn stored pictures as the display matrix of the container says.

PyAV returns frames as they are stored. Phones store pictures sideways and write a display matrix.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Orientation = tuple[int, int, int, int]  # a, b, c, d: (x, y) is shown at (a x + c y, b x + d y)
UPRIGHT: Orientation = (1, 0, 0, 1)
QUARTER_TURNS_AND_MIRRORS = frozenset(
    {(x, 0, 0, y) for x in (1, -1) for y in (1, -1)} | {(0, x, y, 0) for x in (1, -1) for y in (1, -1)}
)


def frame_orientation(frame: Any) -> Orientation:
    """Return the orientation of a decoded frame by its display matrix; upright if it has none.

    Angles between the quarter turns count as upright: no camera writes them, and no player shows them.
    """
    side_data = frame.side_data.get("DISPLAYMATRIX")
    if side_data is None:
        return UPRIGHT
    # 3 x 3, row by row: (a b u, c d v, x y w); a to d are 16.16 fixed point (ISO 14496-12, 8.3.2)
    matrix = np.frombuffer(bytes(side_data), dtype=np.int32)
    a, b, c, d = (round(int(matrix[i]) / 65536) for i in (0, 1, 3, 4))
    return (a, b, c, d) if (a, b, c, d) in QUARTER_TURNS_AND_MIRRORS else UPRIGHT


def swaps_sides(orientation: Orientation) -> bool:
    """Return whether the orientation swaps width and height."""
    return orientation[0] == 0


def orient(picture: Picture, orientation: Orientation) -> Picture:
    """Return the picture, (height, width, channel), as it is displayed, in contiguous memory.

    PyAV pads the rows of pictures of odd width, so its arrays are not contiguous.
    """
    a, b, c, d = orientation
    if swaps_sides(orientation):
        picture = picture.transpose(1, 0, 2)  # (y, x) -> (x, y): rows are now the old x
        a, d = c, b
    if a < 0:
        picture = picture[:, ::-1]
    if d < 0:
        picture = picture[::-1]
    return np.ascontiguousarray(picture)
