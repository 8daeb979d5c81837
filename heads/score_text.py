"""A prediction in words: the score, how sure it is, and the moments that made it."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.tables import format_table
from heads.prediction import Prediction, TrainedHead

NUM_MOMENTS = 3


def format_prediction(name: str, prediction: Prediction, trained: TrainedHead) -> str:
    """Score with its spread over the run's networks, then the highest and lowest attention of each stream."""
    return "\n".join(_lines(name, prediction, trained))


def _lines(name: str, prediction: Prediction, trained: TrainedHead) -> Iterator[str]:
    config = trained.config
    spread = "" if math.isnan(prediction.std) else f" ± {prediction.std:.2f}"
    own = ", ".join(f"{score:.2f}" for score in prediction.scores)
    yield f"{name}: {config['target']['name']} {prediction.score:.2f}{spread}"
    yield f"  {config['head']} ({config['variant']}), by seed: {own}"
    if config["random_weights"]:
        yield "  RANDOM WEIGHTS: a demonstration, not a judgement."
    if prediction.seen_in_training:
        yield "  This video was among those that the run learned from: its score says nothing."
    yield ""
    yield format_table(("stream", "looked at", "when", "weight"), list(_moments(prediction)))


def _moments(prediction: Prediction) -> Iterator[tuple[object, ...]]:
    """The steps with the highest and the lowest weight; all of them where there are few."""
    for stream, weights in prediction.attention.items():
        ranked = np.argsort(-weights, kind="stable")
        most = ranked[:NUM_MOMENTS]
        least = ranked[NUM_MOMENTS:][-NUM_MOMENTS:]
        for word, steps in (("most", most), ("least", least)):
            for step in steps:
                yield stream, word, _span(prediction.pts_seconds[stream][step]), f"{weights[step]:.3f}"


def _span(interval: NDArray[np.float64]) -> str:
    return " - ".join(f"{int(seconds // 60)}:{seconds % 60:04.1f}" for seconds in interval)
