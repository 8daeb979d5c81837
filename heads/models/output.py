"""The output that every head returns."""

from typing import NamedTuple

from torch import Tensor


class Pairs(NamedTuple):
    """What a head said of the difference between each video of a batch and an exemplar, a known video.

    `log_probabilities` and `positions` `(order, batch, leaf)` are of leaves `(leaf, 2)`, which are ranges of
    differences. The first order is the video minus the exemplar, the second one the exemplar minus the video.
    `exemplar_scores` are `(batch)`.
    """

    log_probabilities: Tensor
    positions: Tensor
    exemplar_scores: Tensor
    leaves: Tensor


class Queries(NamedTuple):
    """What learned queries say of videos: normalized scores `values` and `weights`, both `(batch, query)`.

    The weights of a video sum to 1. `attention` `(batch, query, time)` says how much each query reads of each
    step.
    """

    values: Tensor
    weights: Tensor
    attention: Tensor


class HeadOutput(NamedTuple):
    """Normalized scores, attention, and what some heads give beside them.

    * `scores` `(batch)`: in [0, 1] if a sigmoid ends the head, else unbounded.
    * `attention`: per stream the weight of each time step, `(batch, time)`. The weights of a video sum to 1,
      or to 0 if the stream has no step.
    * `penalty` `(batch)`: a term that the head adds to its training loss.
    * `logits` `(batch, output)`: what losses of more than the score read, such as the values before the last
      sigmoid or softmax.
    * `step_scores` `(batch, time)`: the score of each step on its own, without the pooling over time.
    * `deviations` `(batch)`: the standard deviation of the score, in its unit, for heads that predict it.
    * `pairs`: in training, the comparisons of heads that predict differences.
    * `queries`: of heads whose score is a weighted sum over queries.
    """

    scores: Tensor
    attention: dict[str, Tensor]
    penalty: Tensor | None = None
    logits: Tensor | None = None
    step_scores: Tensor | None = None
    deviations: Tensor | None = None
    pairs: Pairs | None = None
    queries: Queries | None = None
