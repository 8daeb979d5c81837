"""What every head returns."""

from typing import NamedTuple

from torch import Tensor


class HeadOutput(NamedTuple):
    """Normalised scores `batch` in [0, 1], and per stream the weight of each time step, `batch time`.

    The weights of a video sum to 1, or to 0 where the stream has no step at all.
    """

    scores: Tensor
    attention: dict[str, Tensor]
