"""Scores of videos as JSON and as CSV."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aqa_pipeline.store import write_whole
from aqa_pipeline.untrusted.csv_cells import csv_text
from heads.scoring.page import Scored
from heads.scoring.scorer import Scorer
from heads.scoring.seen_parts import seen_as_json
from heads.scoring.tracking import followed_in

COLUMNS = (
    "video",
    "score",
    "class",
    "interval_low",
    "interval_high",
    "interval_coverage",
    "seed_std",
    "percentile",
    "flags",
    "warnings",
    "not_scored",
    "error",
)


def write_json(path: Path, scored: Sequence[Scored], failures: Mapping[str, str], *, by: Scorer) -> None:
    """Everything known of each video, and the reason of each that failed; undefined numbers are null."""
    config = by.trained.config
    content = {
        "run": str(by.trained.run_dir),
        "head": config["head"],
        "variant": config["variant"],
        "dataset": config["dataset"]["name"],
        "target": by.target.name,
        "select": config["select"],
        "flags": list(by.flags),
        "classes": asdict(by.classes) if by.classes else None,
        "verdict": by.verdict.to_dict() if by.verdict else None,
        "videos": [_as_json(one, by) for one in scored],
        "failures": dict(failures),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, (json.dumps(content, indent=2, allow_nan=False) + "\n").encode())


def _as_json(scored: Scored, by: Scorer) -> dict[str, Any]:
    scored_video, prediction = scored.scored_video, scored.scored_video.prediction
    digest = next(iter(scored.records.values())).source.digest
    return {
        "video": scored_video.name,
        "path": str(scored.video.path),
        "source_sha256": digest,
        "score": None if scored_video.not_scored else prediction.score,
        "not_scored": scored_video.not_scored,
        "class": _class_of(scored, by),
        "interval": asdict(scored_video.interval) if scored_video.interval else None,
        "seed_scores": list(prediction.scores),
        "seed_std": _or_none(prediction.std),
        "percentile": scored_video.percentile,
        "warnings": list(scored_video.warnings),
        "followed": {
            stream: asdict(followed)
            for stream, record in scored.records.items()
            if (followed := followed_in(record)) is not None
        },
        "duration_seconds": max(record.duration_seconds for record in scored.records.values()),
        **seen_as_json(scored.records),
        "streams": {
            stream: {
                "pts_seconds": prediction.pts_seconds[stream].tolist(),
                "attention": weights.tolist(),
                "step_scores": prediction.step_scores[stream].tolist()
                if stream in prediction.step_scores
                else None,
            }
            for stream, weights in prediction.attention.items()
        },
    }


def write_csv(path: Path, scored: Sequence[Scored], failures: Mapping[str, str], *, by: Scorer) -> None:
    """One row per video; text that a spreadsheet would run is made safe."""
    rows: list[dict[str, object]] = [_as_row(one, by) for one in scored]
    rows += [{"video": name, "error": reason} for name, reason in failures.items()]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, csv_text(rows, columns=COLUMNS).encode())


def _as_row(scored: Scored, by: Scorer) -> dict[str, object]:
    """One row; a video that is not scored has neither score nor class, but the reason."""
    scored_video = scored.scored_video
    told: dict[str, object] = {
        "video": scored_video.name,
        "flags": "; ".join(by.flags),
        "warnings": " ".join(scored_video.warnings),
    }
    if scored_video.not_scored is not None:
        return told | {"not_scored": scored_video.not_scored}
    interval, prediction = scored_video.interval, scored_video.prediction
    numbers = {
        "score": prediction.score,
        "interval_low": interval and interval.low,
        "interval_high": interval and interval.high,
        "seed_std": _or_none(prediction.std),
    }
    return {
        **told,
        **{
            name: None if value is None else f"{value:.{scored_video.decimals}f}"
            for name, value in numbers.items()
        },
        "class": _class_of(scored, by),
        "interval_coverage": interval and f"{interval.coverage:.3g}",
        "percentile": scored_video.percentile and f"{scored_video.percentile:.0f}",
    }


def _class_of(scored: Scored, by: Scorer) -> str | None:
    """The likelier class where the score is the probability of one, and means something."""
    if by.classes is None or scored.scored_video.not_scored is not None:
        return None
    return by.classes.name(scored.scored_video.prediction.score)


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value
