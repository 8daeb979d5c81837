"""What every handler of the web app knows: the project, the limits of this server, and its work."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from starlette.requests import Request

from aqa.serve.jobs.worker import Worker
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.project.find import Project

MAX_UPLOAD_BYTES = 2 * 1024**3


@dataclass(frozen=True)
class Serving:
    """A project that is served, the worker of its jobs, and the largest upload in bytes.

    `nav` are the words and the addresses of the bar at the top.
    """

    project: Project
    worker: Worker
    max_upload_bytes: int = MAX_UPLOAD_BYTES
    nav: tuple[tuple[str, str], ...] = ()

    @cached_property
    def folder(self) -> Path:
        """The project's folder, absolute and without links."""
        return self.project.folder.resolve()

    @cached_property
    def root(self) -> Path:
        """The folder of the videos and their scores, absolute and without links."""
        return self.project.root.resolve()

    @property
    def run(self) -> Path:
        """The folder of the trained run; it may not exist yet."""
        return self.folder / self.project.file.run

    @property
    def config(self) -> Path:
        """The file that a training begins with; another training of the run writes it anew."""
        return self.run / "config.json"

    @property
    def summary(self) -> Path:
        """The file that a finished training leaves in the run."""
        return self.run / "summary.json"

    def __post_init__(self) -> None:
        if not self.root.is_relative_to(self.folder):
            raise DatasetError(
                f"the videos of this project lie in {self.root}, outside of its folder {self.folder}. "
                "`aqa serve` writes and shows only what is inside: move the videos, and change `videos` in "
                "aqa.toml."
            )


def serving_of(request: Request) -> Serving:
    """Return what the app of this request serves."""
    serving: Serving = request.app.state.serving
    return serving
