"""The folders that the web app writes into. They lie in the project's folder, and none is a link."""

from pathlib import Path

from aqa_pipeline.errors import StoreError

STATE = ".serve"  # jobs, uploads that have not arrived yet, small pictures


def own_folder(project_folder: Path, *parts: str) -> Path:
    """Make a folder in the project's folder if it is absent, and return it.

    Raises `StoreError` if a link or a file is in its place: a link could lead a write anywhere.
    """
    folder = project_folder.resolve()
    for part in parts:
        folder = folder / part
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            raise StoreError(
                f"{folder} is {'a link' if folder.is_symlink() else 'no folder'}; expected a folder of the "
                "project's own: move it away."
            )
        folder.mkdir(exist_ok=True)
    return folder
