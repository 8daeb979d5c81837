"""The targets and the loss of CoFInAl: hundredths of a score by likert scores, ten thousandths by a class.

A score in [0, 1] is cut into a coarse part, its hundredths (0.8765 -> 0.87), and a fine grade, the number of
ten thousandths beyond them (65).
"""

import torch
from torch import Tensor

FINE_UNIT = 10_000
NUM_FINE = 100


def coarse_and_fine(scores: Tensor) -> tuple[Tensor, Tensor]:
    """Return the coarse parts `(batch)` and the fine grades `(batch)` of scores `(batch)`."""
    whole = (scores * FINE_UNIT).long()
    return whole.div(NUM_FINE, rounding_mode="floor") / NUM_FINE, whole % NUM_FINE


def coarse_to_fine_loss(outputs: Tensor, scores: Tensor) -> Tensor:
    """Return the loss of each video `(batch)`; `scores` `(batch)` are its targets, in [0, 1].

    `outputs` `(batch, 2 + vertex)` are the positive and the negative score and the mean absolute difference
    between the video's fine vector and each vertex of the simplex. The loss adds the squared errors of the
    two, of the coarse part and of 1 minus it, to the difference from the vertex of the fine grade.
    """
    coarse, fine = coarse_and_fine(scores)
    positive, negative, differences = outputs[:, 0], outputs[:, 1], outputs[:, 2:]
    to_vertex = differences.gather(1, fine[:, None]).squeeze(1)
    return (positive - coarse) ** 2 + (negative - (1 - coarse)) ** 2 + to_vertex


def fine_outputs(positive: Tensor, negative: Tensor, vectors: Tensor, vertices: Tensor) -> Tensor:
    """Return the outputs `(batch, 2 + vertex)` that the loss reads, of fine vectors `(batch, dim)`."""
    differences = (vectors[:, :, None] - vertices).abs().mean(dim=1)
    return torch.cat([positive[:, None], negative[:, None], differences], dim=1)


def final_score(positive: Tensor, negative: Tensor, vectors: Tensor, vertices: Tensor) -> Tensor:
    """Return the score `(batch)`: the mean of both coarse scores, and the grade of the nearest vertex."""
    fine = (vectors @ vertices).argmax(dim=1)
    return (positive + 1 - negative) / 2 + fine / FINE_UNIT
