"""The jobs: their list with progress, what a command printed, and the buttons that begin and cancel them."""

from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from aqa.serve.jobs.job import Job
from aqa.serve.library.rows import read_library
from aqa.serve.pages import render
from aqa.serve.project_files import address_of
from aqa.serve.score_files import IN_VIDEOS, comparison_of, page_of
from aqa.serve.serving import Serving, serving_of
from aqa_pipeline.commands.options import clock_time

NAV = ("Jobs", "/jobs")
MOST_SHOWN = 100
TITLES = {"score": "Score", "compare": "Compare", "learn": "Learn"}
PAGE_OF = {"score": page_of, "compare": comparison_of}


@dataclass(frozen=True)
class JobLine:
    """A job as the list shows it: `percent` of its progress bar, and its `words`, the last that it said."""

    job: Job
    title: str
    percent: int | None
    words: str
    page: str
    took: str


def job_list(request: Request) -> Response:
    """Show the jobs, the one at work first: with `kind` only those, with `part` the list alone."""
    serving = serving_of(request)
    kind = request.query_params.get("kind")
    jobs = sorted((job for job in serving.worker.queue.jobs() if kind in (None, job.kind)), key=_place)
    values = {
        "lines": [job_line(serving, job) for job in jobs[:MOST_SHOWN]],
        "num_live": sum(job.is_live for job in jobs),
        "problems": serving.worker.queue.problems,
    }
    return render(request, "job_list.html" if request.query_params.get("part") else "jobs.html", values)


def one_job(request: Request) -> Response:
    """Show what the command of a job printed."""
    serving = serving_of(request)
    job = serving.worker.queue.job(request.path_params["number"])
    lines = serving.worker.transcript(job.number).lines
    template = "job_text.html" if request.query_params.get("part") else "job.html"
    return render(request, template, {"line": job_line(serving, job), "lines": lines})


async def begin_scoring(request: Request) -> Response:
    """Add a job for each `video` of the form, or for `all` without a score; refuse paths of no video."""
    form = await request.form()
    serving = serving_of(request)
    library = await run_in_threadpool(read_library, serving)
    known = {row.path for row in library.rows if row.can_score}
    wanted = [str(value) for value in form.getlist("video")]
    if "all" in form:
        wanted = [row.path for row in library.rows if row.lacks_score]
    if not wanted or not set(wanted) <= known:
        raise HTTPException(400, "The run of this project cannot score that: choose a video of the table.")
    for video in wanted:
        serving.worker.queue.add("score", video)
    return RedirectResponse("/jobs", 303)


async def begin_comparing(request: Request) -> Response:
    """Add a job that scores the `video` of the form beside the athlete's last attempt before it."""
    form = await request.form()
    serving = serving_of(request)
    library = await run_in_threadpool(read_library, serving)
    video = str(form.get("video", ""))
    if video not in {row.path for row in library.rows if row.can_compare}:
        raise HTTPException(
            400, "That cannot be compared: it needs a run, and an earlier attempt of the athlete by date."
        )
    serving.worker.queue.add("compare", video)
    return RedirectResponse("/jobs", 303)


def cancel(request: Request) -> Response:
    """Take a job out of the queue, or end its command."""
    serving_of(request).worker.cancel(request.path_params["number"])
    return RedirectResponse("/jobs", 303)


def _place(job: Job) -> tuple[int, int]:
    """Order jobs: what runs, what waits in its order, and what has ended, the latest first."""
    if job.state == "running":
        return 0, 0
    return (1, job.number) if job.is_live else (2, -job.number)


def job_line(serving: Serving, job: Job) -> JobLine:
    """Return the job as the list shows it."""
    percent, words = None, job.words
    if job.state == "running":
        transcript = serving.worker.transcript(job.number)
        # The features of one video are a part of its job: the bar is full while the page is made.
        percent = None if job.video and transcript.percent == 100 else transcript.percent
        words = "" if job.video else transcript.progress or transcript.closing_words()
    page = serving.folder / PAGE_OF[job.kind](job.video) if job.video else None
    return JobLine(
        job=job,
        title=f"{TITLES[job.kind]} {job.video.removeprefix(IN_VIDEOS)}".strip(),
        percent=percent,
        words=words,
        page=(address_of(serving, page) or "") if page and job.state == "done" and page.is_file() else "",
        took=clock_time(job.ended - job.started) if job.ended and job.started else "",
    )


ROUTES = (
    Route("/jobs", job_list),
    Route("/jobs/{number:int}", one_job),
    Route("/jobs/{number:int}/cancel", cancel, methods=["POST"]),
    Route("/score", begin_scoring, methods=["POST"]),
    Route("/compare", begin_comparing, methods=["POST"]),
)
