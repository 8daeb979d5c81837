"""Check before the work that a command can write its output, so that long work does not fail at its end."""

import os
import tempfile
from pathlib import Path
from typing import Any

import click

from aqa_pipeline.disk.error_text import explain_disk_error
from aqa_pipeline.disk.files import clear_left_overs
from aqa_pipeline.errors import AqaError


class OutputPath(click.Path):
    """The type of an option that names a file or a folder to write. It need not exist."""

    def __init__(self, *, folder: bool) -> None:
        super().__init__(file_okay=not folder, dir_okay=folder, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path; raise `AqaError` if it cannot be written."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        check_output(path, folder=self.dir_okay)
        return path


OUTPUT_FILE, OUTPUT_FOLDER = OutputPath(folder=False), OutputPath(folder=True)


def check_output(path: Path, *, folder: bool) -> None:
    """Raise `AqaError` unless the file or folder can be written. Create neither it nor its parents.

    Temporary files of interrupted commands in the folder are deleted.
    """
    if path.exists() and not (path.is_dir() if folder else path.is_file()):
        there = "a folder" if path.is_dir() else "a file" if path.is_file() else "a device or a pipe"
        raise AqaError(
            f"{path} is {there}; expected {'a folder' if folder else 'a file'} to write: choose another path."
        )
    place = path if folder else path.parent
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir():
        raise AqaError(f"cannot write {path}: {place} is not a folder. Choose another path.")
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        error.filename = str(place)
        raise AqaError(f"cannot write {path}: {explain_disk_error(error) or error}") from error
    clear_left_overs(path if folder else path.parent)
