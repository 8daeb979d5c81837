"""Effects and weights of a scored video's steps, in the units in which pages and texts show them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from heads.data.windows import evaluation_starts
from heads.pages.track import effect_text, scores_are_even
from heads.scoring.ensemble import Ensemble
from heads.scoring.predict import Prediction
from heads.scoring.scorer import ScoredVideo, Scorer

EQUAL = 1e-6  # weights of 1 / n differ by rounding alone
PERCENT = 100
Values = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class ShownEffects:
    """Effects (time,) per stream, and bool (time,) per stream: the steps that the head read.

    Effects and `usual_range`, the highest minus the lowest training score, are in points of the score, or of
    the probability in percent.
    """

    values: Values
    read: Mapping[str, NDArray[np.bool_]]
    usual_range: float

    def is_even(self, stream: str) -> bool:
        """Return whether no step of the stream stands out."""
        return scores_are_even(self.values[stream][self.read[stream]], usual_range=self.usual_range)

    def text(self, stream: str, step: int) -> str:
        """Return the effect with its sign, such as `-0.8`."""
        return effect_text(float(self.values[stream][step]), usual_range=self.usual_range)


def shown_effects(scored_video: ScoredVideo, scorer: Scorer) -> ShownEffects:
    """Return the effects of streams with steps; none for a video that is not scored."""
    prediction, unit = scored_video.prediction, PERCENT if scorer.classes else 1
    streams = [s for s, each in prediction.effects.items() if len(each) and scored_video.not_scored is None]
    return ShownEffects(
        values={stream: unit * prediction.effects[stream] for stream in streams},
        read={
            stream: _read_steps(scorer.ensemble, stream, len(prediction.effects[stream]))
            for stream in streams
        },
        usual_range=unit * float(np.ptp(scorer.training_scores)),
    )


def _read_steps(ensemble: Ensemble, stream: str, number: int) -> NDArray[np.bool_]:
    """Return (time,) which of the stream's steps a network reads: all of them, or the middle window.

    A weight of 0 does not tell: the softmax of a sharp network rounds to 0.
    """
    read = np.zeros(number, dtype=bool)
    for recipe in (cell.recipe for cell in ensemble.cells):
        num_steps = recipe.num_steps.get(stream, number) if recipe.windows == "released" else number
        start = int(evaluation_starts(torch.tensor(number), num_steps, windows=recipe.windows))
        read[start : start + num_steps] = True
    return read


def attention_weights(prediction: Prediction) -> Values:
    """Return the weights (time,) per stream; those that a head makes equal by design are left out."""
    return {s: each for s, each in prediction.attention.items() if len(each) and not _all_equal(each)}


def _all_equal(weights: NDArray[np.float64]) -> bool:
    seen = weights[weights > 0]
    return not len(seen) or bool(np.ptp(seen) <= EQUAL * seen.max())
