"""Learn: the verdict on the run that is there, and the button that makes a new one."""

from collections.abc import Sequence
from functools import lru_cache

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from aqa.serve.library.rows import NEW, read_library
from aqa.serve.pages import render
from aqa.serve.routes.jobs import job_line
from aqa.serve.serving import Serving, serving_of
from aqa.verdict import verdict_lines
from aqa_pipeline.commands.project import FEWEST_SCORED
from aqa_pipeline.errors import AqaError
from aqa_pipeline.project.find import Project

NAV = ("Learn", "/learn")


def learn(request: Request) -> Response:
    """Show the verdict, how many scores there are, and the last job."""
    serving = serving_of(request)
    rows = read_library(serving).rows
    jobs = [job for job in serving.worker.queue.jobs() if job.kind == "learn"]
    values = {
        "verdict": _verdict(serving),
        "is_unfinished": serving.config.is_file() and not serving.summary.is_file(),
        "num_videos": len(rows),
        "num_scored": sum(row.label is not None for row in rows),
        "num_new": sum(row.state == NEW for row in rows),
        "fewest": FEWEST_SCORED,
        "last": jobs[0] if jobs else None,
        "lines": [job_line(serving, job) for job in jobs],
        "num_live": sum(job.is_live for job in jobs),
    }
    return render(request, "learn.html", values)


async def begin_learning(request: Request) -> Response:
    """Add a job that learns, unless one waits already."""
    await run_in_threadpool(serving_of(request).worker.queue.add, "learn")
    return RedirectResponse("/learn", 303)


def _verdict(serving: Serving) -> Sequence[str]:
    """Return the sentences of `aqa learn` on the run, empty without a finished run."""
    try:
        return _sentences(serving.project, serving.summary.stat().st_mtime_ns)
    except OSError:
        return ()
    except AqaError as error:
        return (str(error),)


@lru_cache(maxsize=1)
def _sentences(project: Project, finished_ns: int) -> Sequence[str]:
    """Return the verdict on the run that was finished then; it is computed once."""
    return tuple(verdict_lines(project))


ROUTES = (Route("/learn", learn), Route("/learn", begin_learning, methods=["POST"]))
