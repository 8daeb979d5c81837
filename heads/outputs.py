"""What every head returns."""

from typing import NamedTuple

from torch import Tensor


class HeadOutput(NamedTuple):
    """Normalised scores `batch`, and per stream the weight of each time step, `batch time`.

    Scores lie in [0, 1] where a sigmoid ends the head, else around it. The weights of a video sum to 1,
    or to 0 where the stream has no step at all. `penalty` `batch` is what a head adds to its training loss.
    """

    scores: Tensor
    attention: dict[str, Tensor]
    penalty: Tensor | None = None
