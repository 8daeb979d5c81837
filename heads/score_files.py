"""Scores of videos as JSON and as CSV."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aqa_pipeline.csv_cells import csv_text
from aqa_pipeline.store import write_whole
from heads.followed import followed_in
from heads.judgement import Judge
from heads.score_pages import Scored

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
    "error",
)


def write_json(path: Path, scored: Sequence[Scored], failures: Mapping[str, str], *, by: Judge) -> None:
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
        "verdict": asdict(by.verdict) | {"text": str(by.verdict)} if by.verdict else None,
        "videos": [_as_json(one, by) for one in scored],
        "failures": dict(failures),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, (json.dumps(content, indent=2, allow_nan=False) + "\n").encode())


def _as_json(scored: Scored, by: Judge) -> dict[str, Any]:
    judgement, prediction = scored.judgement, scored.judgement.prediction
    digest = next(iter(scored.records.values())).source.digest
    return {
        "video": judgement.name,
        "path": str(scored.video.path),
        "source_sha256": digest,
        "score": prediction.score,
        "class": _class_of(scored, by),
        "interval": asdict(judgement.interval) if judgement.interval else None,
        "seed_scores": list(prediction.scores),
        "seed_std": _or_none(prediction.std),
        "percentile": judgement.percentile,
        "warnings": list(judgement.warnings),
        "followed": {
            stream: asdict(followed)
            for stream, record in scored.records.items()
            if (followed := followed_in(record)) is not None
        },
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


def write_csv(path: Path, scored: Sequence[Scored], failures: Mapping[str, str], *, by: Judge) -> None:
    """One row per video; text that a spreadsheet would run is made safe."""
    rows: list[dict[str, object]] = [_as_row(one, by) for one in scored]
    rows += [{"video": name, "error": reason} for name, reason in failures.items()]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, csv_text(rows, columns=COLUMNS).encode())


def _as_row(scored: Scored, by: Judge) -> dict[str, object]:
    judgement, prediction = scored.judgement, scored.judgement.prediction
    interval = judgement.interval
    return {
        "video": judgement.name,
        "score": prediction.score,
        "class": _class_of(scored, by),
        "interval_low": interval and interval.low,
        "interval_high": interval and interval.high,
        "interval_coverage": interval and interval.coverage,
        "seed_std": _or_none(prediction.std),
        "percentile": judgement.percentile,
        "flags": "; ".join(by.flags),
        "warnings": " ".join(judgement.warnings),
    }


def _class_of(scored: Scored, by: Judge) -> str | None:
    """The likelier class where the score is the probability of one."""
    return by.classes.name(scored.judgement.prediction.score) if by.classes else None


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value
