"""Scores of videos as JSON and as CSV."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

from aqa_pipeline.store import write_whole
from aqa_pipeline.untrusted.csv_fields import csv_text
from heads.scoring.result import ScoringResult
from heads.scoring.scorer import ScoredVideo, Scorer
from heads.scoring.shown.effects import shown_effects
from heads.scoring.tracking import tracking_summary
from heads.scoring.visible_parts import visible_parts_json

COLUMNS = (
    "video",
    "score",
    "class",
    "interval_low",
    "interval_high",
    "interval_coverage",
    "seed_std",
    "percentile",
    "effect_highest",
    "effect_highest_at",
    "effect_lowest",
    "effect_lowest_at",
    "flags",
    "warnings",
    "not_scored",
    "error",
)


def write_json(
    path: Path, scored: Sequence[ScoringResult], failures: Mapping[str, str], *, scorer: Scorer
) -> None:
    """Write all results, and the reason of each failure, as JSON; undefined numbers are null."""
    config = scorer.ensemble.config
    content = {
        "run": str(scorer.ensemble.run_dir),
        "head": config.head.name,
        "variant": config.head.variant,
        "dataset": config.dataset.name,
        "target": scorer.target.name,
        "select": config.training.select,
        "flags": list(scorer.flags),
        "classes": asdict(scorer.classes) if scorer.classes else None,
        "verdict": scorer.verdict.to_dict() if scorer.verdict else None,
        "videos": [_as_json(one, scorer) for one in scored],
        "failures": dict(failures),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, (json.dumps(content, indent=2, allow_nan=False) + "\n").encode())


def _as_json(scored: ScoringResult, scorer: Scorer) -> dict[str, Any]:
    scored_video, prediction = scored.scored_video, scored.scored_video.prediction
    digest = next(iter(scored.records.values())).source.digest
    return {
        "video": scored_video.name,
        "path": str(scored.video.path),
        "source_sha256": digest,
        "score": None if scored_video.not_scored else prediction.score,
        "not_scored": scored_video.not_scored,
        "class": _class_of(scored, scorer),
        "interval": asdict(scored_video.interval) if scored_video.interval else None,
        "seed_scores": list(prediction.scores),
        "seed_std": _or_none(prediction.std),
        "predicted_std": prediction.predicted_std,
        "queries": [[asdict(query) for query in of_network] for of_network in prediction.queries],
        "percentile": scored_video.percentile,
        "warnings": list(scored_video.warnings),
        "tracking": {
            stream: asdict(followed)
            for stream, record in scored.records.items()
            if (followed := tracking_summary(record)) is not None
        },
        "duration_seconds": max(record.duration_seconds for record in scored.records.values()),
        **visible_parts_json(scored.records),
        "streams": {
            stream: {
                "pts_seconds": prediction.pts_seconds[stream].tolist(),
                "effect": None if scored_video.not_scored else prediction.effects[stream].tolist(),
                "attention": weights.tolist(),
                "step_scores": prediction.step_scores[stream].tolist()
                if stream in prediction.step_scores
                else None,
            }
            for stream, weights in prediction.attention.items()
        },
    }


def write_csv(
    path: Path, scored: Sequence[ScoringResult], failures: Mapping[str, str], *, scorer: Scorer
) -> None:
    """Write one row per video as CSV; text that a spreadsheet would run as a formula is made safe."""
    rows: list[dict[str, object]] = [_as_row(one, scorer) for one in scored]
    rows += [{"video": name, "error": reason} for name, reason in failures.items()]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, csv_text(rows, columns=COLUMNS).encode())


def _as_row(scored: ScoringResult, scorer: Scorer) -> dict[str, object]:
    """Return one row; a video that is not scored has the reason instead of a score and a class."""
    scored_video = scored.scored_video
    row: dict[str, object] = {
        "video": scored_video.name,
        "flags": "; ".join(scorer.flags),
        "warnings": " ".join(scored_video.warnings),
    }
    if scored_video.not_scored is not None:
        return row | {"not_scored": scored_video.not_scored}
    interval, prediction = scored_video.interval, scored_video.prediction
    numbers = {
        "score": prediction.score,
        "interval_low": interval and interval.low,
        "interval_high": interval and interval.high,
        "seed_std": _or_none(prediction.std),
    }
    return {
        **row,
        **{
            # a number, not text: a spreadsheet would show the text -1.5 with an apostrophe
            name: None if value is None else Decimal(f"{value:.{scored_video.decimals}f}")
            for name, value in numbers.items()
        },
        "class": _class_of(scored, scorer),
        "interval_coverage": interval and f"{interval.coverage:.3g}",
        "percentile": None if scored_video.percentile is None else f"{scored_video.percentile:.0f}",
        **_effect_fields(scored_video, scorer),
    }


def _effect_fields(scored_video: ScoredVideo, scorer: Scorer) -> dict[str, object]:
    """Return the strongest raising and lowering effect over all streams, and where they are.

    A stream whose effects are almost equal counts for nothing; without an effect of that sign, no field.
    """
    effects, times = shown_effects(scored_video, scorer), scored_video.prediction.pts_seconds
    steps = [
        (float(value), stream, step)
        for stream, values in effects.values.items()
        if not effects.is_even(stream)
        for step, value in enumerate(values)
    ]
    fields: dict[str, object] = {}
    for name, sign in (("effect_highest", 1), ("effect_lowest", -1)):
        strongest = max(steps, key=lambda each: sign * each[0], default=None)
        if strongest is not None and sign * strongest[0] > 0:
            _, stream, step = strongest
            start, stop = times[stream][step]
            fields[name] = Decimal(effects.text(stream, step))
            fields[f"{name}_at"] = f"{stream} {start:.1f}-{stop:.1f} s"
    return fields


def _class_of(scored: ScoringResult, scorer: Scorer) -> str | None:
    """Return the likelier class of a two-class target; None for scores and for videos that are not scored."""
    if scorer.classes is None or scored.scored_video.not_scored is not None:
        return None
    return scorer.classes.name(scored.scored_video.prediction.score)


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value
