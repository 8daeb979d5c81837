"""Build the web app of a project from its route modules."""

import contextlib
import importlib
import threading
from collections.abc import AsyncIterator, Callable, Sequence

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from aqa.serve.guard import Guard
from aqa.serve.incoming import clear_incoming
from aqa.serve.jobs.child import Child
from aqa.serve.jobs.commands import command_words
from aqa.serve.jobs.job import Job
from aqa.serve.jobs.queue import JobQueue
from aqa.serve.jobs.worker import Running, Worker
from aqa.serve.library.predictions import predicted_by_run
from aqa.serve.own_folders import STATE, own_folder
from aqa.serve.pages import render
from aqa.serve.score_files import PAGES
from aqa.serve.serving import MAX_UPLOAD_BYTES, Serving
from aqa_pipeline.disk.error_text import explain_disk_error
from aqa_pipeline.errors import AqaError
from aqa_pipeline.project.find import Project

ROUTE_MODULES = (
    "aqa.serve.routes.library",
    "aqa.serve.label.routes",
    "aqa.serve.routes.learn",
    "aqa.serve.routes.diary",  # before the files: its address is among theirs
    "aqa.serve.routes.jobs",
    "aqa.serve.routes.uploads",
    "aqa.serve.routes.files",
    "aqa.serve.routes.thumbnails",
    "aqa.serve.routes.static",
)


def build_app(
    project: Project,
    token: str,
    *,
    max_upload_bytes: int = MAX_UPLOAD_BYTES,
    begin: Callable[[Job], Running] | None = None,
) -> Starlette:
    """Return the ASGI app of the project, which answers only callers with the token.

    `begin` starts the command of a job, by default in a process of its own. Jobs run while the app's lifespan
    lasts. Raises `DatasetError` if the videos lie outside of the project's folder, and `StoreError` if a
    folder that the app writes into is a link.
    """
    modules = [importlib.import_module(name) for name in ROUTE_MODULES]
    routes: Sequence[BaseRoute] = [route for module in modules for route in module.ROUTES]
    nav = tuple(module.NAV for module in modules if module.NAV)
    own_folder(project.folder, str(PAGES))
    jobs = own_folder(project.folder, STATE, "jobs")
    worker = Worker(JobQueue(jobs), begin or _begin_in(project))
    serving = Serving(project, worker, max_upload_bytes, nav)
    clear_incoming(serving)
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Guard, token=token)],
        exception_handlers={AqaError: _show_error, HTTPException: _show_error, OSError: _show_error},
        lifespan=_working(serving),
    )
    app.state.serving = serving
    return app


def _begin_in(project: Project) -> Callable[[Job], Running]:
    """Return the function that starts a job's command in the project's folder."""

    def begin(job: Job) -> Child:
        folder = project.folder.resolve()
        own_folder(folder, str(PAGES))
        return Child(command_words(job, project), folder=folder, locked=own_folder(folder, STATE, "jobs"))

    return begin


def _working(serving: Serving) -> Callable[[Starlette], contextlib.AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        serving.worker.start()
        # The first look at a run imports torch, for seconds.
        threading.Thread(target=predicted_by_run, args=(serving.run,), daemon=True).start()
        try:
            yield
        finally:
            await run_in_threadpool(serving.worker.stop)

    return lifespan


def _show_error(request: Request, error: Exception) -> Response:
    """Return a page with the error's message; raise an error again that nobody can mend."""
    if isinstance(error, HTTPException):
        status, message = error.status_code, error.detail
    elif isinstance(error, AqaError):
        status, message = 400, str(error)
    elif (words := explain_disk_error(error)) is not None:
        status, message = 507, words
    else:
        raise error
    return render(request, "error.html", {"message": message}, status_code=status)
