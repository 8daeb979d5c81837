"""Find the project of a folder, as git finds its repository: the nearest `aqa.toml` upwards."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aqa_pipeline.errors import DatasetError

if TYPE_CHECKING:
    from aqa_pipeline.project.project_file import ProjectFile

PROJECT_FILE = "aqa.toml"


@dataclass(frozen=True)
class Project:
    """A project file and the folder that it lies in."""

    folder: Path
    file: "ProjectFile"

    @property
    def root(self) -> Path:
        """The folder of the videos and their scores, seen from the current folder."""
        return self._seen(self.file.videos)

    @property
    def store(self) -> Path:
        """The folder of the features, seen from the current folder."""
        return self._seen(self.file.store)

    @property
    def run(self) -> Path:
        """The folder of the trained run, seen from the current folder."""
        return self._seen(self.file.run)

    @property
    def name(self) -> str:
        """The name of the dataset in the store and in runs."""
        return self.file.name or os.path.basename(os.path.realpath(self.root))

    def _seen(self, path: str) -> Path:
        return Path(os.path.relpath(self.folder / Path(path).expanduser()))


def find_project(start: Path) -> Project | None:
    """Return the project that the folder `start` lies in, or None; raise `DatasetError` for a wrong file."""
    full = Path(os.path.abspath(start))
    for folder in (full, *full.parents):
        if (folder / PROJECT_FILE).is_file():
            from aqa_pipeline.project.project_file import read_project_file  # pydantic, where it is needed

            return Project(folder, read_project_file(folder / PROJECT_FILE))
    return None


def need_project() -> Project:
    """Return the project of the current folder; raise `DatasetError` outside of one."""
    project = find_project(Path.cwd())
    if project is None:
        raise DatasetError(
            f"there is no {PROJECT_FILE} here or above: make a project with `aqa init FOLDER`."
        )
    return project
