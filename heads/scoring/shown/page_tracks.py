"""The tracks of a scored video's page: effects, step scores and attention weights per stream."""

from collections.abc import Iterator

import numpy as np

from heads.pages.track import Track
from heads.scoring.scorer import ScoredVideo, Scorer
from heads.scoring.shown.effects import attention_weights, shown_effects

UNITS = {
    "segments": "segment",
    "crops": "crop",
    "frames": "frame",
    "clips": "clip",
    "tubes": "clip",
    "poses": "pose",
}
SHOWS = {
    "segments": "whole picture, in motion",
    "crops": "the athlete alone, in stills",
    "frames": "whole picture, in stills",
    "clips": "whole picture, in motion",
    "tubes": "the athlete in motion, within the tube",
    "poses": "the athlete's joints",
}


def tracks_of(scored_video: ScoredVideo, scorer: Scorer) -> list[Track]:
    """Return a track of effects per stream, then tracks of step scores and of attention weights.

    A video that is not scored has no effects.
    """
    return [
        *_effect_tracks(scored_video, scorer),
        *_score_tracks(scored_video, scorer),
        *_attention_tracks(scored_video),
    ]


def _effect_tracks(scored_video: ScoredVideo, scorer: Scorer) -> Iterator[Track]:
    effects = shown_effects(scored_video, scorer)
    what = f"probability of a {scorer.classes.upper}, in points" if scorer.classes else "score"
    for stream, values in effects.values.items():
        yield Track(
            name=stream.capitalize(),
            unit=f"effect of each {_unit(stream)} on the {what} ({SHOWS.get(stream, stream)})",
            kind="effect",
            pts_seconds=scored_video.prediction.pts_seconds[stream],
            values=values,
            reference=0.0,
            usual_range=effects.usual_range,
            stream=stream,
            read=effects.read[stream],
        )


def _score_tracks(scored_video: ScoredVideo, scorer: Scorer) -> Iterator[Track]:
    prediction = scored_video.prediction
    what = f"probability of a {scorer.classes.upper}" if scorer.classes else "score"
    for stream, scores in prediction.step_scores.items():
        if len(scores):
            yield Track(
                name=f"{_unit(stream)} scores".capitalize(),
                unit=f"{what} of each {_unit(stream)} alone ({SHOWS.get(stream, stream)})",
                kind="score",
                pts_seconds=prediction.pts_seconds[stream],
                values=scores,
                reference=prediction.score,
                usual_range=float(np.ptp(scorer.training_scores)),
                stream=stream,
            )


def _attention_tracks(scored_video: ScoredVideo) -> Iterator[Track]:
    for stream, weights in attention_weights(scored_video.prediction).items():
        yield Track(
            name=f"Attention to {stream}",
            unit=f"weight of each {_unit(stream)}",
            kind="attention",
            pts_seconds=scored_video.prediction.pts_seconds[stream],
            values=weights,
            reference=1 / max(1, int((weights > 0).sum())),
            stream=stream,
        )


def _unit(stream: str) -> str:
    return UNITS.get(stream, "step")
