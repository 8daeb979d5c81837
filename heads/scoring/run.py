"""A run that scores: what `aqa.load_run` returns and `aqa score` works with."""

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from aqa_pipeline.errors import ArrayError, DatasetError, RunError
from aqa_pipeline.plurals import counted
from aqa_pipeline.records import Record, Video
from heads.runs.title import run_title
from heads.scoring.external_features import StepSeconds
from heads.scoring.inputs import ScoreInput, array_input, find_videos, video_inputs
from heads.scoring.result import ScoringResult
from heads.scoring.scorer import ScoredVideo, Scorer, score_video

if TYPE_CHECKING:
    from heads.evaluation.run_scores import Evaluation

ExtractRecords = Callable[[Video], Mapping[str, Record]]  # from a video to its records, by stream


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """A trained run, ready to score new videos: its networks, and how their features are extracted.

    `scorer` holds the networks and what the run's own test videos say of its errors. `extract_records` makes
    the records of a new video as those of the training videos were made; without it only features can be
    scored.
    """

    scorer: Scorer
    extract_records: ExtractRecords | None = None

    @property
    def run_dir(self) -> Path:
        """The folder that `aqa fit` wrote."""
        return self.scorer.ensemble.run_dir

    @property
    def streams(self) -> tuple[str, ...]:
        """The names of the streams that the run reads."""
        return tuple(self.scorer.ensemble.specs)

    def evaluate(self) -> "Evaluation":
        """Return the numbers of the run's test videos, as `aqa evaluate` prints them."""
        from heads.evaluation.evaluate import evaluate

        return evaluate(self.run_dir)

    def score(
        self,
        source: str | os.PathLike[str] | Mapping[str, ArrayLike] | ArrayLike,
        *,
        boxes: Path | None = None,
        fps: float | None = None,
        step_seconds: float | Mapping[str, float] | None = None,
        difficulty: float | None = None,
    ) -> ScoredVideo:
        """Return the score of one new video, with its interval, effects and warnings.

        `source` is a video file, a folder of numbered pictures, or features that were made like the run's:
        one array (time, dim) per stream name, or one array if the run reads one stream. `fps` is the rate of
        pictures. `boxes` is a CSV of the person's boxes, for runs whose detector is `annotations`.
        `step_seconds` is the duration of a row of features; by default the run's. `difficulty` is the
        video's, for a run that predicts execution.

        Raises `ArrayError` (a `ValueError`) for arguments that do not belong together, `VideoError` for an
        unreadable video, `DatasetError` for features of another shape, `SpecMismatch` if the weights here
        are not the run's, and `RunError` if a stream or the difficulty is missing.

        >>> import aqa
        >>> run = aqa.load_run("runs/mine")
        >>> run.score("new.mp4")
        ScoredVideo(new.mp4: score ... ± ...; ... warnings; steps of frames (4,))
        """
        if isinstance(source, str | os.PathLike):
            if step_seconds is not None:
                raise ArrayError("step_seconds is for arrays of features; a video states its own times.")
            item = self._video_input(Path(source), boxes=boxes, fps=fps)
        else:
            if boxes is not None or fps is not None:
                raise ArrayError("boxes and fps are for videos; the features of a video need neither.")
            by_stream = step_seconds if isinstance(step_seconds, Mapping) else {"": step_seconds}
            given = {name: each for name, each in by_stream.items() if each is not None}
            if not all(0 < each < math.inf for each in given.values()):
                raise ArrayError(f"step_seconds is {step_seconds}: expected seconds above 0.")
            item = array_input(source, self.scorer.ensemble, StepSeconds(given))
        return self.with_difficulty(difficulty).result(item).scored_video

    def with_difficulty(self, difficulty: float | None) -> "Run":
        """Return the run for videos of that difficulty; raise as `Ensemble.with_difficulty`."""
        ensemble = self.scorer.ensemble.with_difficulty(difficulty)
        return replace(self, scorer=replace(self.scorer, ensemble=ensemble))

    def result(self, item: ScoreInput) -> ScoringResult:
        """Return the scored video with its records, which pages and files are written from."""
        records = item.records()
        return ScoringResult(item.video, score_video(self.scorer, item.name, records), records)

    def _video_input(self, path: Path, *, boxes: Path | None, fps: float | None) -> ScoreInput:
        if self.extract_records is None:
            raise RunError(f"the run {self.run_dir} was loaded for features alone: use `aqa.load_run`.")
        videos = find_videos([path])
        if len(videos) > 1:
            raise DatasetError(f"{path} holds {len(videos)} videos: score them one by one.")
        (item,) = video_inputs(videos, self.extract_records, boxes=boxes, fps=fps)
        return item

    def __repr__(self) -> str:
        cells = self.scorer.ensemble.cells
        networks = counted(len(cells), "network")
        return f"Run({self.run_dir}: {run_title(self.scorer.ensemble.config)}; {networks})"
