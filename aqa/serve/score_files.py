"""The files that `aqa score` writes for a video of the app, and what they say of its score."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from aqa.serve.serving import Serving
from aqa_pipeline.disk.files import file_name
from aqa_pipeline.errors import StoreError
from aqa_pipeline.untrusted.bounded_files import MIB, read_bounded_bytes

PAGES = Path("pages")  # in the project's folder
IN_VIDEOS = "videos/"
LARGEST = 64 * MIB  # of a JSON file: effects and weights of each step


def page_of(video: str) -> Path:
    """Return the path of the score page of a video; both lie in the project's folder."""
    try:
        name = file_name(video.removeprefix(IN_VIDEOS))
    except StoreError:  # too long for a file name with another ending
        name = hashlib.sha256(video.encode()).hexdigest()
    return PAGES / f"{name}.html"


def comparison_of(video: str) -> Path:
    """Return the path of the page that compares a video with the athlete's last attempt."""
    return page_of(video).with_suffix(".last.html")


def json_of(video: str) -> Path:
    """Return the path of the score as JSON."""
    return page_of(video).with_suffix(".json")


class _Interval(BaseModel):
    model_config = ConfigDict(strict=True, allow_inf_nan=False)

    low: float
    high: float


class _OfVideo(BaseModel):
    model_config = ConfigDict(strict=True, allow_inf_nan=False)

    path: str
    score: float | None
    not_scored: str | None
    interval: _Interval | None
    warnings: list[str]


class _Scores(BaseModel):
    model_config = ConfigDict(strict=True, allow_inf_nan=False)

    videos: list[_OfVideo]


@dataclass(frozen=True)
class KeptScore:
    """What `aqa score` said of a video: a score with its range, or why there is none.

    `is_current` is False if the run or the video has changed since.
    """

    score: float | None
    low: float | None
    high: float | None
    not_scored: str | None
    num_warnings: int
    is_current: bool


def read_score(serving: Serving, video: str) -> KeptScore | None:
    """Return the score that is kept for a video of the project's folder; None if there is none to read."""
    path = serving.folder / json_of(video)
    try:
        found = _Scores.model_validate_json(read_bounded_bytes(path, most_bytes=LARGEST))
        written = path.stat().st_mtime
        changed = [
            place.stat().st_mtime for place in (serving.folder / video, serving.config) if place.exists()
        ]
    except (OSError, ValidationError):
        return None
    of_video = next((each for each in found.videos if Path(each.path) == Path(video)), None)
    if of_video is None:
        return None
    return KeptScore(
        score=of_video.score,
        low=of_video.interval.low if of_video.interval else None,
        high=of_video.interval.high if of_video.interval else None,
        not_scored=of_video.not_scored,
        num_warnings=len(of_video.warnings),
        is_current=all(each <= written for each in changed),
    )
