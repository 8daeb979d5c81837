"""The attempts of a project: its table of scores, with what its run predicts."""

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.project.find import Project
from aqa_pipeline.records import Dataset
from heads.attempts.attempt import Attempts, read_attempts


def read_project_attempts(project: Project) -> tuple[Dataset, Attempts]:
    """Return the project's dataset and its attempts, with labels alone while there is no run.

    Raise as `load_dataset` and `read_attempts` do.
    """
    dataset = load_dataset("folder", project.root, called=project.name)
    run = project.run if project.run.exists() else None
    target = project.file.target.split(",")[0].strip() if project.file.target else None
    return dataset, read_attempts(dataset, run, target=target)
