"""The predictions of a run for its test videos, as arrays for resampling and comparison."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.errors import RunError
from heads.runs.config import read_config
from heads.runs.trained_cell import TrainedCell, read_cell


@dataclass(frozen=True, eq=False)
class Predicted:
    """A split's test videos, sorted by id: `true` raw scores `(video)`, `predicted` ones `(seed, video)`.

    `training_videos` are the ids of the split's other videos, validation videos among them.
    """

    split: str
    seeds: tuple[int, ...]
    videos: tuple[str, ...]
    true: NDArray[np.float64]
    predicted: NDArray[np.float64]
    training_videos: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        expected = (len(self.seeds), len(self.videos))
        if self.predicted.shape != expected or self.true.shape != expected[1:] or 0 in expected:
            raise ValueError(
                f"split {self.split!r}: expected scores of {expected} (seed, video), "
                f"got {self.predicted.shape} and labels of {self.true.shape}"
            )
        if not (np.isfinite(self.predicted).all() and np.isfinite(self.true).all()):
            raise ValueError(f"split {self.split!r}: predictions and labels must be finite numbers")

    def of_seeds(self, seeds: Sequence[int]) -> "Predicted":
        """Return the predictions of these seeds alone."""
        rows = [self.seeds.index(seed) for seed in seeds]
        return replace(self, seeds=tuple(seeds), predicted=self.predicted[rows])

    @property
    def ensemble(self) -> "Predicted":
        """The mean prediction of the seeds, as if it were one seed's."""
        return replace(self, seeds=(0,), predicted=self.predicted.mean(axis=0)[None])


def read_predicted(run_dir: Path) -> list[Predicted]:
    """Return every split of a run with all its seeds; raise `RunError` for an incomplete or damaged cell."""
    config = read_config(run_dir)
    return [
        over_seeds_of([read_cell(run_dir, split=split, seed=seed) for seed in config.training.seeds])
        for split in config.splits
    ]


def over_seeds_of(cells: Sequence[TrainedCell]) -> Predicted:
    """Return the test predictions of one split's cells; raise `RunError` if they tested different videos."""
    scores = [
        sorted((row.video_id, row.true, row.predicted) for row in cell.predictions if row.part == "test")
        for cell in cells
    ]
    labelled = [[row[:2] for row in rows] for rows in scores]
    if any(rows != labelled[0] for rows in labelled):
        raise RunError(f"the seeds of split {cells[0].split!r} were tested on different videos or labels.")
    return Predicted(
        split=cells[0].split,
        seeds=tuple(cell.seed for cell in cells),
        videos=tuple(video for video, _ in labelled[0]),
        true=np.array([true for _, true in labelled[0]]),
        predicted=np.array([[row[2] for row in rows] for rows in scores]),
        training_videos=frozenset(row.video_id for row in cells[0].predictions if row.part != "test"),
    )
