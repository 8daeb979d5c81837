"""The scores of new videos that a run keeps, `RUN/scores/*.json`: a diary needs no network to show them.

A score belongs to a file as it was then. If the file, its window or its rate is another now, the score is not
that video's any more.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from aqa_pipeline.disk.files import write_whole
from aqa_pipeline.errors import RunError
from aqa_pipeline.misfit import explain_misfit
from aqa_pipeline.records import Source, Video
from aqa_pipeline.sources.compare import compare
from aqa_pipeline.untrusted.bounded_files import RUN_BYTES, read_bounded_json
from aqa_pipeline.video.sources import Disk
from heads.runs.trained_cell import own_folder
from heads.scoring.result import ScoringResult

FOLDER = "scores"


class StoredScore(BaseModel):
    """One score: of which file, how high, with which interval, and when it was computed.

    `path` is relative to the run, so that both may be moved together. `score` is on the raw scale of the
    judges; it and the interval are None where `not_scored` says why.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    path: str
    source: Source
    score: float | None
    low: float | None
    high: float | None
    not_scored: str | None
    scored_at: str


def store_score(run_dir: Path, result: ScoringResult) -> Path:
    """Keep the score of a video in its run; return the path. A score of the same content is replaced."""
    scored, interval = result.scored_video, result.scored_video.interval
    source = replace(next(iter(result.records.values())).source, boxes_digest=None)
    is_score = scored.not_scored is None
    stored = StoredScore(
        path=os.path.relpath(result.video.path, run_dir),
        source=source,
        score=scored.prediction.score if is_score else None,
        low=interval.low if interval and is_score else None,
        high=interval.high if interval and is_score else None,
        not_scored=scored.not_scored,
        scored_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    window = f"{source.start_frame or 0}-{source.stop_frame or 'end'}"
    path = own_folder(run_dir / FOLDER) / f"{source.digest[:24]}-{window}.json"
    path.parent.mkdir(exist_ok=True)
    write_whole(path, (json.dumps(stored.model_dump(mode="json"), indent=2) + "\n").encode())
    return path


def read_scores(run_dir: Path, videos: Sequence[Video]) -> dict[str, StoredScore]:
    """Return the stored scores of these videos by id; raise `RunError` for a damaged file, or a link.

    A digest is computed only where a file's time of change is another.
    """
    by_path: dict[str, list[StoredScore]] = {}
    for path in sorted(own_folder(run_dir / FOLDER).glob("*.json")):
        stored = _read(path)
        by_path.setdefault(os.path.realpath(run_dir / stored.path), []).append(stored)
    disk, found = Disk(), {}
    for video in videos if by_path else ():
        for stored in by_path.get(os.path.realpath(video.path), ()):
            compared = compare(stored.source, video, disk=disk)
            if not compared.reasons and compared.gone is None:
                found[video.video_id] = stored
    return found


def _read(path: Path) -> StoredScore:
    try:
        values = read_bounded_json(path, most_bytes=RUN_BYTES)
        return StoredScore.model_validate_json(json.dumps(values))
    except (OSError, ValueError) as error:
        reason = explain_misfit(error) if isinstance(error, ValidationError) else str(error)
        raise RunError(f"{path} is damaged ({reason}): delete it and score the video again.") from error
