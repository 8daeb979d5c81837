"""`aqa serve`: the project as a web app on this machine."""

import importlib.util
import logging
import secrets
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

import click

from aqa_pipeline.commands.options import example
from aqa_pipeline.errors import AqaError, RunError

if TYPE_CHECKING:
    from aqa_pipeline.project.find import Project

HERE = "127.0.0.1"  # this machine alone
NEEDED = ("starlette", "uvicorn", "python_multipart")
GIB = 1024**3


@click.command(epilog=example("aqa serve --port 8000"))
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Port on this machine; 0 takes a free one.",
)
@click.option(
    "--max-upload",
    type=click.FloatRange(0, min_open=True),
    default=2.0,
    show_default=True,
    metavar="GIB",
    help="Largest video that a page may upload, in GiB.",
)
def serve(port: int, max_upload: float) -> None:
    """Open this folder's project as a web app: drop videos in, see their scores, and learn.

    The app answers on this machine only, and only to the address that the command prints, which has a new
    token at each start. Nothing leaves the machine. Ctrl-C ends the server. Jobs that are not done go on at
    the next start.
    """
    from aqa_pipeline.project.find import need_project

    project = need_project()
    _need_extra()
    import uvicorn

    from aqa.serve.app import build_app
    from aqa.serve.stopping import OnlyErrors

    token = secrets.token_urlsafe(32)
    with _alone(project), _listen(port) as listening:
        app = build_app(project, token, max_upload_bytes=int(max_upload * GIB))
        click.echo(f"Serving {project.name} ({project.folder}); Ctrl-C ends it.", err=True)
        click.echo(f"http://{HERE}:{listening.getsockname()[1]}/?token={token}")
        # An access log would show the token.
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=3,
        )
        logging.getLogger("uvicorn.error").addFilter(OnlyErrors())
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listening])


def _need_extra() -> None:
    """Raise `AqaError` with the command that installs them if libraries of the server are absent."""
    absent = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if absent:
        from aqa_pipeline.installation import install_command

        raise AqaError(f"`aqa serve` needs {', '.join(absent)}: {install_command('serve')}")


@contextmanager
def _alone(project: "Project") -> Iterator[None]:
    """Hold the project's jobs while the block lasts; raise `AqaError` if another server holds them."""
    from aqa.serve.own_folders import STATE, own_folder
    from aqa_pipeline.disk.folder_lock import sole_writer

    with ExitStack() as stack:
        try:
            stack.enter_context(sole_writer(own_folder(project.folder, STATE)))
        except RunError as error:
            raise AqaError(
                "`aqa serve` runs for this project already: open the address that it printed."
            ) from error
        yield


def _listen(port: int) -> socket.socket:
    """Return a socket of this machine alone; raise `AqaError` if the port is taken."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HERE, port))
        listening.listen()  # whoever opens the printed address at once waits and is not refused
    except OSError as error:
        listening.close()
        raise AqaError(
            f"port {port} cannot be used: {error.strerror}. Choose another with --port."
        ) from error
    return listening
