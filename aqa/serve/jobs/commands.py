"""The command of each kind of job, in words that are checked when the job is made."""

import os
from pathlib import Path

from aqa.serve.jobs.job import Job
from aqa.serve.score_files import comparison_of, json_of, page_of
from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.errors import AqaError, DatasetError
from aqa_pipeline.project.find import Project
from aqa_pipeline.records import Video
from aqa_pipeline.spec_facts import typed_facts
from heads.runs.config import read_config


def command_words(job: Job, project: Project) -> list[str]:
    """Return the words after `aqa`, to be typed in the project's folder."""
    if job.kind == "learn":
        return ["learn"]
    if job.kind == "compare":
        written = ["--against", "last", "--html", comparison_of(job.video).as_posix()]
    else:
        written = ["--html", page_of(job.video).as_posix(), "--json", json_of(job.video).as_posix()]
    linked = "--link"  # the app serves the video itself
    return ["score", *written, linked, *_boxes_of(job.video, project), "--", job.video]


def _boxes_of(video: str, project: Project) -> list[str]:
    """Return the option that names the video's boxes, if the run reads boxes and the video has some."""
    if not _reads_boxes(project.folder / project.file.run):
        return []
    boxes = next((each.boxes for each in _listed(project) if _is_whole(each, project.folder / video)), None)
    return ["--boxes", os.path.relpath(boxes, project.folder)] if boxes else []


def _reads_boxes(run: Path) -> bool:
    """Return whether boxes are how the run found the athlete, or the person from whom it started."""
    try:
        specs = read_config(run).specs.values()
    except AqaError:
        return False  # `aqa score` says what is wrong with the run
    facts = [typed_facts(spec) for spec in specs]
    finders = [finder for each in facts for finder in (each.detector, each.tracker) if finder]
    return any(each.start == "pointed" for each in facts) or any(
        finder.startswith("annotations") for finder in finders
    )


def _listed(project: Project) -> tuple[Video, ...]:
    try:
        return load_dataset("folder", project.root).videos
    except DatasetError:
        return ()


def _is_whole(video: Video, path: Path) -> bool:
    """Return whether the performance is all of that file."""
    return video.start_frame == 0 and video.stop_frame is None and video.path.resolve() == path.resolve()
