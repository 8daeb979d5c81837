"""A judgement in words: the score, how sure it is, what speaks against it, and the moments that made it."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.tables import format_table
from heads.judgement import Judge, Judgement
from heads.prediction import Prediction

NUM_MOMENTS = 3
SPLIT_NAMES_SHOWN = 4
EXPLAINED = {
    "RANDOM WEIGHTS": "a demonstration, not a judgement.",
    "SIMULATED": "the run learned from drawn features, it saw no video.",
    "SHUFFLED LABELS": "a control that learned from wrong scores.",
    "NOT MODEL SELECTION": "the kept epoch is the one that scored best on the test videos.",
}


def format_judgement(judgement: Judgement, by: Judge) -> str:
    """Score with its interval, warnings, then the highest and lowest attention of each stream."""
    return "\n".join(_lines(judgement, by))


def _lines(judgement: Judgement, by: Judge) -> Iterator[str]:
    prediction, config = judgement.prediction, by.trained.config
    own = ", ".join(f"{score:.2f}" for score in prediction.scores)
    yield f"{judgement.name}: {by.target.name} {prediction.score:.2f} ± {judgement.interval.half_width:.2f}"
    for sentence in score_sentences(judgement, by):
        yield f"  {sentence}"
    yield f"  {config['head']} ({config['variant']}), by seed: {own}"
    for flag in by.flags:
        yield f"  {flag}: {EXPLAINED[flag]}"
    for warning in judgement.warnings:
        yield f"  WARNING: {warning}"
    yield ""
    yield format_table(("stream", "looked at", "when", "weight"), list(_moments(prediction)))


def score_sentences(judgement: Judgement, by: Judge) -> tuple[str, ...]:
    """How sure the score is, and where it lies among the training scores."""
    interval, std = judgement.interval, judgement.prediction.std
    seeds = "" if math.isnan(std) else f"; the seeds differ by ± {std:.2f}"
    return (
        f"{interval.coverage:.0%} interval {interval.low:.2f} to {interval.high:.2f}, "
        f"from the errors on {interval.num_residuals} test videos{seeds}.",
        f"Higher than {judgement.percentile:.0f} % of the {len(by.training_scores)} training scores "
        f"({by.training_scores.min():.2f} to {by.training_scores.max():.2f}).",
    )


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
