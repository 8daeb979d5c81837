"""One row for each video: those of the table of scores, and the files that no line names yet."""

import datetime
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from aqa.serve.jobs.job import Job
from aqa.serve.library.earlier import with_earlier_attempt
from aqa.serve.library.predictions import PredictedByRun, predicted_by_run
from aqa.serve.project_files import DIARY, address_of
from aqa.serve.score_files import KeptScore, comparison_of, page_of, read_score
from aqa.serve.serving import Serving
from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.datasets.reading.field_values import inner_path
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.project.new import VIDEOS, video_names
from aqa_pipeline.records import Dataset, Video

LABEL = "/label"
NEW = "new score, not learned yet"


@dataclass(frozen=True)
class Row:
    """A video as the table shows it. Empty texts and None stand for what is not known.

    `path` is the file's path in the project's folder, empty if it is missing, lies outside, or is a folder of
    pictures. `label` is the judges' score. `predicted` is the run's, with its range `[low, high]`. `job` is
    the number of the job that works on the video, or that failed last. `can_score` says whether the run can
    score it, `lacks_score` that it has not done so and no job will, `can_compare` that the athlete has an
    earlier attempt, and `is_compared` that a job compares them now. `picture`, `page`, `comparison`, `video`,
    `label_page` and `diary` are addresses in the app.
    """

    name: str
    path: str = ""
    athlete: str = ""
    date: datetime.date | None = None
    element: str = ""
    label: float | None = None
    predicted: float | None = None
    low: float | None = None
    high: float | None = None
    state: str = ""
    picture: str = ""
    page: str = ""
    comparison: str = ""
    video: str = ""
    label_page: str = ""
    diary: str = ""
    job: int | None = None
    is_live: bool = False
    can_score: bool = False
    lacks_score: bool = False
    can_compare: bool = False
    is_compared: bool = False

    @property
    def predicted_text(self) -> str:
        """Return the predicted score with the decimals that its range deserves."""
        return "" if self.predicted is None else f"{self.predicted:.{self._decimals}f}"

    @property
    def range_text(self) -> str:
        """Return the range, such as `10.6 to 14.2`."""
        if self.low is None or self.high is None:
            return ""
        return f"{self.low:.{self._decimals}f} to {self.high:.{self._decimals}f}"

    @property
    def _decimals(self) -> int:
        half = (self.high - self.low) / 2 if self.low is not None and self.high is not None else 0.0
        return max(0, 1 - math.floor(math.log10(half))) if half > 0 else 2


@dataclass(frozen=True)
class Library:
    """All rows, the name of the score, and what is wrong with the table of scores.

    The judges' score of a share `coverage` of videos lies within the range; 0 without a run.
    """

    rows: tuple[Row, ...]
    target: str
    problems: tuple[str, ...]
    has_run: bool
    coverage: float


def read_library(serving: Serving) -> Library:
    """Return the table of the project as its files are now."""
    dataset, problems = _dataset(serving)
    target = serving.project.file.target or (
        dataset.targets[0].name if dataset and dataset.targets else "score"
    )
    told = predicted_by_run(serving.run)
    videos = dataset.videos if dataset else ()
    unlisted, unfit = _unlisted(serving, videos)
    known = _Known(target, told, _latest_jobs(serving), with_earlier_attempt(videos))
    rows = tuple(_row(serving, video, known) for video in (*videos, *unlisted))
    return Library(rows, target, (*problems, *unfit), serving.summary.is_file(), told.coverage)


def _dataset(serving: Serving) -> tuple[Dataset | None, tuple[str, ...]]:
    try:
        dataset = load_dataset("folder", serving.root, called=serving.project.name)
    except DatasetError as error:
        return None, (str(error),)
    return dataset, dataset.problems


def _unlisted(serving: Serving, listed: Sequence[Video]) -> tuple[list[Video], list[str]]:
    """Return a video for each file that the table of scores lacks, and why others can be in no table."""
    named = {video.path for video in listed}
    found, problems = [], []
    for name in video_names(serving.root):
        try:
            inner_path(name, name="file")
        except DatasetError as error:
            problems.append(f"{error}: rename it")
            continue
        paths = (serving.root / name, serving.root / VIDEOS / name)
        found += [Video(name, path) for path in paths if path.is_file() and path not in named]
    return found, problems


def _latest_jobs(serving: Serving) -> Mapping[tuple[str, str], Job]:
    """Return the latest job of each kind for each video."""
    return {(job.kind, job.video): job for job in reversed(serving.worker.queue.jobs())}


@dataclass(frozen=True)
class _Known:
    """What all rows are made from: see `Row`; `earlier` are the ids of videos with an earlier attempt."""

    target: str
    told: PredictedByRun
    jobs: Mapping[tuple[str, str], Job]
    earlier: frozenset[str]


def _row(serving: Serving, video: Video, known: _Known) -> Row:
    path, told = _path_of(serving, video), known.told
    kept = read_score(serving, path) if path else None
    job, comparing = known.jobs.get(("score", path)), known.jobs.get(("compare", path))
    predicted, low, high = _predicted(video.video_id, kept, told)
    is_window = video.start_frame > 0 or video.stop_frame is not None
    has_networks = bool(path) and serving.summary.is_file() and not is_window
    can_score = has_networks and video.video_id not in told.learned_from
    is_live = job is not None and job.is_live
    return Row(
        name=video.video_id,
        path=path,
        athlete=video.athlete or video.group or "",
        date=video.performed_on,
        element=video.element or "",
        label=video.labels.get(known.target),
        predicted=predicted,
        low=low,
        high=high,
        state=_state(video, path, known.target, kept, job, told),
        picture=_picture(video, path),
        page=_page(serving, page_of(path)) if path else "",
        comparison=_page(serving, comparison_of(path)) if path else "",
        video=(address_of(serving, video.path) or "") if path else "",
        label_page=_label_page(serving, video, path),
        diary=f"{DIARY}?{urlencode({'athlete': video.athlete})}" if video.athlete else "",
        job=job.number if job and (job.is_live or job.state == "failed") else None,
        is_live=is_live,
        can_score=can_score,
        lacks_score=can_score and not is_live and (kept is None or not kept.is_current),
        can_compare=has_networks and video.video_id in known.earlier,
        is_compared=comparing is not None and comparing.is_live,
    )


def _page(serving: Serving, path: Path) -> str:
    full = serving.folder / path
    return (address_of(serving, full) or "") if full.is_file() else ""


def _path_of(serving: Serving, video: Video) -> str:
    if not video.path.is_file() or not video.path.resolve().is_relative_to(serving.folder):
        return ""
    return video.path.relative_to(serving.folder).as_posix()


def _picture(video: Video, path: str) -> str:
    """Return the address of a small picture: the middle of the file, or of a performance within it."""
    if not path:
        return ""
    address = f"/thumbnail/{quote(path)}"
    if video.stop_frame is None:
        return address
    return f"{address}?{urlencode({'frame': (video.start_frame + video.stop_frame) // 2})}"


def _label_page(serving: Serving, video: Video, path: str) -> str:
    """Return the address at which the score is entered; empty for a file deeper in the folder."""
    if not path or video.path.parent not in (serving.root, serving.root / VIDEOS):
        return ""
    named = {"video": video.path.name} | ({"id": video.video_id} if video.video_id != video.path.name else {})
    return f"{LABEL}?{urlencode(named)}"


def _predicted(
    video_id: str, kept: KeptScore | None, told: PredictedByRun
) -> tuple[float | None, float | None, float | None]:
    if kept is not None and kept.score is not None:
        return kept.score, kept.low, kept.high
    return told.scores.get(video_id, (None, None, None))


def _state(
    video: Video, path: str, target: str, kept: KeptScore | None, job: Job | None, told: PredictedByRun
) -> str:
    """Return in a few words what became of the video."""
    if not path and not video.path.is_dir():
        return "file is missing" if not video.path.exists() else "outside of the project"
    if job is not None and job.is_live:
        return "being scored" if job.state == "running" else "waits to be scored"
    if job is not None and job.state == "failed":
        return "could not be scored"
    if kept is not None:
        old = "" if kept.is_current else ", by an earlier run"
        return f"not scored, see its page{old}" if kept.not_scored else f"scored{old}"
    if video.video_id in told.learned_from:
        return "learned"
    return NEW if target in video.labels else "needs a score"
