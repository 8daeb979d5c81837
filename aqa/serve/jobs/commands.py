"""The command of each kind of job, in words that are checked when the job is made."""

from aqa.serve.jobs.job import Job
from aqa.serve.score_files import json_of, page_of


def command_words(job: Job) -> list[str]:
    """Return the words after `aqa`, to be typed in the project's folder."""
    if job.kind == "learn":
        return ["learn"]
    written = ["--html", page_of(job.video).as_posix(), "--json", json_of(job.video).as_posix()]
    return ["score", *written, "--link", "--", job.video]  # the app serves the video itself
