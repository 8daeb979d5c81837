"""A scored video as text: score, interval, warnings, and the steps that raised and lowered the score."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.plurals import counted
from aqa_pipeline.text_table import format_table
from heads.evaluation.two_class_target import TwoClassTarget
from heads.pages.track import SMALL_EFFECT, scores_are_even
from heads.scoring.predict import Prediction
from heads.scoring.query_scores import QueryScore
from heads.scoring.result import ScoringResult
from heads.scoring.scorer import ScoredVideo, Scorer
from heads.scoring.shown.effects import ShownEffects, Values, attention_weights, shown_effects
from heads.scoring.tracking import tracking_sentences
from heads.scoring.visible_parts import head_window_sentences, stream_part_sentences

NUM_MOMENTS = 3
SPLIT_NAMES_SHOWN = 4
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
    """Return the score with its interval, the warnings, and the steps that moved the score most.

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
    if prediction.predicted_std is not None:
        deviation = f"{prediction.predicted_std:.{scored_video.decimals}f}"
        yield f"  {config.head.name} predicts a standard deviation of {deviation} for this video."
    for of_network in prediction.queries[:1]:
        yield f"  {_heaviest(of_network, scored_video.decimals)}"
    if scorer.verdict is not None:
        yield f"  The run: {scorer.verdict}"
    for flag in scorer.flags:
        yield f"  {flag}: {EXPLAINED[flag]}"
    for warning in scored_video.warnings:
        yield f"  WARNING: {warning}"
    yield from _effect_lines(scored_video, scorer)
    yield from _step_score_lines(prediction, scorer)


def _heaviest(queries: Sequence[QueryScore], decimals: int) -> str:
    """Return the three queries of one network that count most: score, weight and time."""
    shown = ", ".join(
        f"{query.score:.{decimals}f} x {query.weight:.3f} around {query.at_seconds:.1f} s"
        for query in queries[:NUM_MOMENTS]
    )
    return f"The heaviest of {len(queries)} queries (score x weight), first network: {shown}"


def _effect_lines(scored_video: ScoredVideo, scorer: Scorer) -> Iterator[str]:
    """Yield the table of the steps that raised and lowered the score most, with their weights."""
    effects, weights = shown_effects(scored_video, scorer), attention_weights(scored_video.prediction)
    even = [stream for stream in effects.values if effects.is_even(stream)]
    if effects.values:
        yield ""
    if even:
        yield f"  The effects of {' and '.join(even)} are almost equal: no moment stands out."
    rows: list[tuple[object, ...]] = []
    for stream in effects.values:
        for word, step in _strongest(effects, stream) if stream not in even else ():
            when = _span(scored_video.prediction.pts_seconds[stream][step])
            weight = [f"{weights[stream][step]:.3f}" if stream in weights else "equal"] if weights else []
            rows.append((stream, word, when, effects.text(stream, step), *weight))
    if rows:
        effect = "effect (points)" if scorer.classes else "effect"
        yield format_table(("stream", "step", "when", effect, *(["weight"] if weights else [])), rows)


def _strongest(effects: ShownEffects, stream: str) -> Iterator[tuple[str, int]]:
    """Yield the steps with the greatest positive and negative effects, the strongest first; no small ones."""
    values = effects.values[stream]
    ranked, least = np.argsort(-values, kind="stable"), SMALL_EFFECT * np.abs(values).max()
    yield from (("raised", int(step)) for step in ranked[:NUM_MOMENTS] if values[step] > least)
    yield from (("lowered", int(step)) for step in ranked[::-1][:NUM_MOMENTS] if values[step] < -least)


def _step_score_lines(prediction: Prediction, scorer: Scorer) -> Iterator[str]:
    scores = {stream: each for stream, each in prediction.step_scores.items() if len(each)}
    usual_range = float(np.ptp(scorer.training_scores))
    even = [s for s, each in scores.items() if scores_are_even(each, usual_range=usual_range)]
    if scores:
        yield ""
    if even:
        yield f"  The scores of {' and '.join(even)} are almost equal: no moment stands out."
    shown = {stream: each for stream, each in scores.items() if stream not in even}
    if shown:
        header = ("stream", "step", "when", scorer.classes.upper if scorer.classes else "score")
        yield format_table(header, list(_moments(prediction, shown)))


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
        f"from the errors on {_residuals(interval.num_residuals, scorer)}{seeds}.",
        f"Higher than {percentile:.0f} % of the scores of {_videos(len(scorer.training_scores), 'training')} "
        f"({scorer.training_scores.min():.{digits}f} to {scorer.training_scores.max():.{digits}f}).",
    )


def _residuals(number: int, scorer: Scorer) -> str:
    if scorer.out_of_fold:
        return f"{_videos(number, 'training')}, each predicted without its own fold"
    return _videos(number, "test")


def _videos(number: int, part: str) -> str:
    return counted(number, f"{part} video")


def _class_sentences(classes: TwoClassTarget, num_training: int, seeds: str) -> tuple[str, ...]:
    low, high = 100 * classes.accuracy.low, 100 * classes.accuracy.high
    upper = classes.upper.capitalize()
    return (
        f"{classes.num_right} of {classes.num_videos} test videos correct "
        f"(95 % interval {low:.0f} to {high:.0f} %){seeds}.",
        f"{upper}: {100 * classes.share_upper:.0f} % of its {num_training} training videos.",
    )


def _moments(prediction: Prediction, values: Values) -> Iterator[tuple[object, ...]]:
    """Yield the steps with the highest and the lowest values; of few steps, all."""
    for stream, of_stream in values.items():
        ranked = np.argsort(-of_stream, kind="stable")
        most = ranked[:NUM_MOMENTS]
        least = ranked[NUM_MOMENTS:][-NUM_MOMENTS:]
        for word, steps in (("highest", most), ("lowest", least)):
            for step in steps:
                when = _span(prediction.pts_seconds[stream][step])
                yield stream, word, when, f"{of_stream[step]:.2f}"


def _span(interval: NDArray[np.float64]) -> str:
    return " - ".join(f"{int(seconds // 60)}:{seconds % 60:04.1f}" for seconds in interval)
