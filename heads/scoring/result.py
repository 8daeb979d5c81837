"""A scored video with the records that its score was computed from."""

from collections.abc import Mapping
from dataclasses import dataclass

from aqa_pipeline.records import Record, Video
from heads.scoring.scorer import ScoredVideo


@dataclass(frozen=True, eq=False)
class ScoringResult:
    """A scored video, its file and its records per stream: all that pages and files are written from.

    `known_score` is the judges' score; None if it is unknown.
    """

    video: Video
    scored_video: ScoredVideo
    records: Mapping[str, Record]
    known_score: float | None = None
