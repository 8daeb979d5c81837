"""The residuals of a run's test videos: judges' scores minus predicted scores."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heads.evaluation.conformal_interval import half_width_of
from heads.runs.trained_cell import TrainedCell

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SplitResiduals:
    """The test videos of one split: judges' scores, and mean and deviation of the seeds' predictions.

    All arrays are `(video)`. The deviation of one seed is 0. A share `coverage` of the videos lies within
    `half_width` (see heads/evaluation/conformal_interval.py).
    """

    split: str
    videos: tuple[str, ...]
    true: Floats
    mean: Floats
    seed_std: Floats
    half_width: float
    coverage: float

    @property
    def residuals(self) -> Floats:
        """The judges' scores minus the predicted scores, `(video)`."""
        return self.true - self.mean


def split_residuals(cells: Sequence[TrainedCell]) -> SplitResiduals:
    """Return the residuals of one split from its finished trained cells."""
    rows = [
        sorted((row.video_id, row.true, row.predicted) for row in cell.predictions if row.part == "test")
        for cell in cells
    ]
    true = np.array([row[1] for row in rows[0]], dtype=np.float64)
    predicted = np.array([[row[2] for row in of_seed] for of_seed in rows], dtype=np.float64)
    mean = predicted.mean(axis=0)
    half_width, coverage = half_width_of(true - mean)
    return SplitResiduals(
        split=cells[0].split,
        videos=tuple(row[0] for row in rows[0]),
        true=true,
        mean=mean,
        seed_std=predicted.std(axis=0, ddof=1) if len(cells) > 1 else np.zeros(len(true)),
        half_width=half_width,
        coverage=coverage,
    )


def residual_of_each(splits: Sequence[SplitResiduals]) -> dict[str, float]:
    """Return the residual of each different video: the mean over the splits that test it."""
    found: dict[str, list[float]] = {}
    for split in splits:
        for video, residual in zip(split.videos, split.residuals.tolist(), strict=True):
            found.setdefault(video, []).append(residual)
    return {video: float(np.mean(residuals)) for video, residuals in found.items()}


def thirds_of_scores(splits: Sequence[SplitResiduals]) -> dict[str, str]:
    """Return the group of each test video: lower, middle or upper third of the judges' scores."""
    scores = {
        video: float(true) for split in splits for video, true in zip(split.videos, split.true, strict=True)
    }
    low, high = np.quantile(list(scores.values()), [1 / 3, 2 / 3])
    names = (f"score below {low:.2f}", f"score {low:.2f} to {high:.2f}", f"score above {high:.2f}")
    return {video: names[int(score > low) + int(score > high)] for video, score in scores.items()}
