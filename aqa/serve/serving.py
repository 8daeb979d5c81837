"""What every handler of the web app knows: the project, and the limits of this server."""

from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request

from aqa_pipeline.errors import DatasetError
from aqa_pipeline.project.find import Project

MAX_UPLOAD_BYTES = 2 * 1024**3


@dataclass(frozen=True)
class Serving:
    """A project that is served, and the largest upload in bytes.

    `nav` are the words and the addresses of the bar at the top.
    """

    project: Project
    max_upload_bytes: int = MAX_UPLOAD_BYTES
    nav: tuple[tuple[str, str], ...] = ()

    @property
    def folder(self) -> Path:
        """The project's folder, absolute and without links."""
        return self.project.folder.resolve()

    @property
    def root(self) -> Path:
        """The folder of the videos and their scores, absolute and without links."""
        return self.project.root.resolve()

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
