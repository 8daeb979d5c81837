"""The command of each kind of job, in words that are checked when the job is made."""

from pathlib import Path

from aqa.serve.jobs.job import Job
from aqa.serve.score_files import json_of, page_of
from aqa_pipeline.project.find import Project

BOXES = "boxes"  # folder of the athlete's boxes beside the table of scores
ANNOTATIONS = "annotations"  # the detector, or the tracker, that reads them


def command_words(job: Job, project: Project) -> list[str]:
    """Return the words after `aqa`, to be typed in the project's folder."""
    if job.kind == "learn":
        return ["learn"]
    written = ["--html", page_of(job.video).as_posix(), "--json", json_of(job.video).as_posix()]
    linked = "--link"  # the app serves the video itself
    return ["score", *written, linked, *_boxes_of(job.video, project), "--", job.video]


def _boxes_of(video: str, project: Project) -> list[str]:
    """Return the option that names the video's boxes, if the project reads boxes and the video has some."""
    if ANNOTATIONS not in (project.file.detector, project.file.tracker):
        return []
    boxes = Path(project.file.videos) / BOXES / f"{Path(video).stem}.csv"
    return ["--boxes", boxes.as_posix()] if (project.folder / boxes).is_file() else []
