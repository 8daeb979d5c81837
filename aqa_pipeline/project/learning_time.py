"""Estimate how long `aqa learn` takes on two CPU cores, from rates that were measured there."""

from aqa_pipeline.datasets.checking.check import DatasetReport
from aqa_pipeline.project.project_file import ProjectFile

EXTRACTION_SECONDS = {"light": 10.0, "paper": 20.0}  # per minute of 720p video, by preset
TRAINING_SECONDS = 1.0  # per training video of a fold: `stack` with three seeds and inner cross-validation
USUAL_FOLDS = 5


def extraction_seconds(report: DatasetReport, project: ProjectFile) -> float:
    """Return the seconds that the extraction of all videos takes."""
    return report.files.total_seconds / 60 * EXTRACTION_SECONDS[project.preset]


def training_seconds(num_scored: int, project: ProjectFile) -> float:
    """Return the seconds that training on all videos with a score takes."""
    folds = project.folds or USUAL_FOLDS
    return folds * num_scored * (1 - 1 / folds) * TRAINING_SECONDS
