"""What the learned queries of a network say of one video: a score each, its weight, and where they read."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heads.data.score_scale import ScoreScale
from heads.models.output import Queries


@dataclass(frozen=True)
class QueryScore:
    """The raw score of one query, the weight that it counts with, and the mean time that it reads.

    The network's score is the sum of weight x score over its queries.
    """

    score: float
    weight: float
    at_seconds: float


def query_scores(
    queries: Queries, scale: ScoreScale, pts_seconds: NDArray[np.float64]
) -> tuple[QueryScore, ...]:
    """Return the queries of a batch of one video, the heaviest first; `pts_seconds` are of the steps read."""
    num_steps = min(len(pts_seconds), queries.attention.shape[2])
    attention = queries.attention[0, :, :num_steps].double().cpu().numpy()
    middles = pts_seconds[:num_steps].mean(axis=1)
    times = attention @ middles / attention.sum(axis=1)
    values = scale.restore(queries.values[0].double().cpu().numpy())
    weights = queries.weights[0].double().cpu().numpy()
    order = np.argsort(-weights, kind="stable")
    return tuple(QueryScore(float(values[at]), float(weights[at]), float(times[at])) for at in order)
