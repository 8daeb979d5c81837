"""A scored video as text: score, interval, warnings, and the steps that count most and least."""

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.text_table import format_table
from heads.evaluation.two_class_target import TwoClassTarget
from heads.pages.track import scores_are_even, weights_are_even
from heads.scoring.predict import Prediction
from heads.scoring.result import ScoringResult
from heads.scoring.scorer import ScoredVideo, Scorer
from heads.scoring.tracking import tracking_sentences
from heads.scoring.visible_parts import head_window_sentences, stream_part_sentences

NUM_MOMENTS = 3
SPLIT_NAMES_SHOWN = 4
EQUAL = 1e-6  # weights of 1 / n differ by rounding alone
Values = Mapping[str, NDArray[np.float64]]
EXPLAINED = {
    "RANDOM WEIGHTS": "a demonstration, not a score.",
    "SIMULATED": "the run was trained on simulated features, not on videos.",
    "SHUFFLED LABELS": "a control that was trained on wrong scores.",
    "GROUPS OVERLAP": "some test videos share their group (athlete, event) with training videos: "
    "expect larger errors on new groups.",
    "IMPORTED": "the weights come from released checkpoints; nothing was trained here.",
    "NOT MODEL SELECTION": "the epoch was chosen on the test set.",
}


def format_result(result: ScoringResult, scorer: Scorer) -> str:
    """Return the text that `aqa score` prints of one video."""
    records = result.records
    seen = (
        *tracking_sentences(records),
        *stream_part_sentences(records),
        *head_window_sentences(records, scorer.ensemble),
    )
    return format_scored_video(result.scored_video, scorer, sentences=seen)


def format_scored_video(scored_video: ScoredVideo, scorer: Scorer, *, sentences: Sequence[str] = ()) -> str:
    """Return the score with its interval, the warnings, and the steps with the highest and lowest values.

    `sentences` are added below the score: on the tracker, and on the part of the video that streams cover.
    """
    return "\n".join(_lines(scored_video, scorer, sentences))


def _lines(scored_video: ScoredVideo, scorer: Scorer, sentences: Sequence[str]) -> Iterator[str]:
    prediction, config = scored_video.prediction, scorer.ensemble.config
    yield f"{scored_video.name}: {headline(scored_video, scorer)}"
    if scored_video.not_scored is not None:
        for sentence in (*sentences, *(f"WARNING: {warning}" for warning in scored_video.warnings)):
            yield f"  {sentence}"
        return
    own = ", ".join(f"{score:.{scored_video.decimals}f}" for score in prediction.scores)
    for sentence in (*score_sentences(scored_video, scorer), *sentences):
        yield f"  {sentence}"
    yield f"  {config.head.name} ({config.head.variant}), by network: {own}"
    if scorer.verdict is not None:
        yield f"  The run: {scorer.verdict}"
    for flag in scorer.flags:
        yield f"  {flag}: {EXPLAINED[flag]}"
    for warning in scored_video.warnings:
        yield f"  WARNING: {warning}"
    for title, values, digits in step_values(prediction):
        yield ""
        if even := _even_streams(title, values, scorer):
            yield f"  The {title}s of {' and '.join(even)} are almost equal: no moment stands out."
        values = {stream: of_stream for stream, of_stream in values.items() if stream not in even}
        if not values:
            continue
        what = scorer.classes.upper if scorer.classes and title == "score" else title
        header = ("stream", "step", "when", what)
        yield format_table(header, list(_moments(prediction, values, digits)))


def _even_streams(title: str, values: Values, scorer: Scorer) -> list[str]:
    usual_range = float(np.ptp(scorer.training_scores))
    return [
        stream
        for stream, of_stream in values.items()
        if (
            scores_are_even(of_stream, usual_range=usual_range)
            if title == "score"
            else weights_are_even(of_stream)
        )
    ]


def headline(scored_video: ScoredVideo, scorer: Scorer) -> str:
    """Return `score 59.96 ± 4.20`, `clean landing, probability 83 %`, or why the video is not scored."""
    if scored_video.not_scored is not None:
        return scored_video.not_scored[0].lower() + scored_video.not_scored[1:]
    score, digits = scored_video.prediction.score, scored_video.decimals
    if scorer.classes is not None:
        return f"{scorer.classes.name(score)}, probability {100 * scorer.classes.probability(score):.0f} %"
    assert scored_video.interval is not None, "a score has an interval"
    return f"{scorer.target.name} {score:.{digits}f} ± {scored_video.interval.half_width:.{digits}f}"


def score_sentences(scored_video: ScoredVideo, scorer: Scorer) -> tuple[str, ...]:
    """Return sentences on the interval of the score and on its rank among the training scores."""
    if scored_video.not_scored is not None:
        return (scored_video.not_scored,)
    std, digits = scored_video.prediction.std, scored_video.decimals
    seeds = "" if math.isnan(std) else f"; the networks differ by ± {std:.{digits}f}"
    if scorer.classes is not None:
        return _class_sentences(scorer.classes, len(scorer.training_scores), seeds)
    interval, percentile = scored_video.interval, scored_video.percentile
    assert interval is not None, "a score has an interval"
    return (
        f"{100 * interval.coverage:.0f} % interval {interval.low:.{digits}f} to {interval.high:.{digits}f}, "
        f"from the errors on {_videos(interval.num_residuals, 'test')}{seeds}.",
        f"Higher than {percentile:.0f} % of the scores of {_videos(len(scorer.training_scores), 'training')} "
        f"({scorer.training_scores.min():.{digits}f} to {scorer.training_scores.max():.{digits}f}).",
    )


def _videos(number: int, part: str) -> str:
    return f"{number} {part} video{'s' * (number != 1)}"


def _class_sentences(classes: TwoClassTarget, num_training: int, seeds: str) -> tuple[str, ...]:
    low, high = 100 * classes.accuracy.low, 100 * classes.accuracy.high
    upper = classes.upper.capitalize()
    return (
        f"{classes.num_right} of {classes.num_videos} test videos correct "
        f"(95 % interval {low:.0f} to {high:.0f} %){seeds}.",
        f"{upper}: {100 * classes.share_upper:.0f} % of its {num_training} training videos.",
    )


def step_values(prediction: Prediction) -> Iterator[tuple[str, Values, int]]:
    """Yield title, values (time,) per stream, and number of decimals, of attention weights and step scores.

    Weights that a head makes equal by design are left out.
    """
    weights = {
        stream: each
        for stream, each in prediction.attention.items()
        if not _equal_by_design(prediction, stream)
    }
    for title, values, digits in (("weight", weights, 3), ("score", prediction.step_scores, 2)):
        if any(len(each) for each in values.values()):
            yield title, values, digits


def _equal_by_design(prediction: Prediction, stream: str) -> bool:
    """Return whether the head scores the stream's steps one by one and weighs them equally."""
    seen = prediction.attention[stream][prediction.attention[stream] > 0]
    return stream in prediction.step_scores and bool(len(seen)) and bool(np.ptp(seen) <= EQUAL * seen.max())


def _moments(prediction: Prediction, values: Values, digits: int) -> Iterator[tuple[object, ...]]:
    """Yield the steps with the highest and the lowest values; of few steps, all."""
    for stream, of_stream in values.items():
        ranked = np.argsort(-of_stream, kind="stable")
        most = ranked[:NUM_MOMENTS]
        least = ranked[NUM_MOMENTS:][-NUM_MOMENTS:]
        for word, steps in (("highest", most), ("lowest", least)):
            for step in steps:
                when = _span(prediction.pts_seconds[stream][step])
                yield stream, word, when, f"{of_stream[step]:.{digits}f}"


def _span(interval: NDArray[np.float64]) -> str:
    return " - ".join(f"{int(seconds // 60)}:{seconds % 60:04.1f}" for seconds in interval)
