"""What every head returns."""

from typing import NamedTuple

from torch import Tensor


class HeadOutput(NamedTuple):
    """Normalised scores `batch`, and per stream the weight of each time step, `batch time`.

    Scores lie in [0, 1] where a sigmoid ends the head, else around it. The weights of a video sum to 1,
    or to 0 where the stream has no step at all. `penalty` `batch` is what a head adds to its training loss.
    `logits` `batch output` are what a sigmoid or softmax made the scores of, where a loss takes them;
    `step_scores` `batch time` the scores that each step would get with the pooling over time left out.
    """

    scores: Tensor
    attention: dict[str, Tensor]
    penalty: Tensor | None = None
    logits: Tensor | None = None
    step_scores: Tensor | None = None
