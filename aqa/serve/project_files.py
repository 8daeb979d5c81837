"""Find the files of a project that the web app may show: its videos, and the pages of their scores."""

from pathlib import Path
from urllib.parse import quote

from aqa.serve.score_files import PAGES
from aqa.serve.serving import Serving
from aqa_pipeline.datasets.reading.field_values import inner_path
from aqa_pipeline.datasets.reading.video_endings import VIDEO_SUFFIXES
from aqa_pipeline.errors import DatasetError

AT = "/project/"
DIARY = f"{AT}diary"  # beside the videos, to which its page links


def address_of(serving: Serving, path: Path) -> str | None:
    """Return the address of a file in the app; None if it lies outside of the project's folder."""
    full = path.resolve()
    if not full.is_relative_to(serving.folder):
        return None
    return AT + quote(full.relative_to(serving.folder).as_posix())


def shown_file(serving: Serving, name: str) -> Path | None:
    """Return the video or the score page of that path in the project's folder; None for anything else.

    Hidden files are not shown, and neither are links that lead out of the folder.
    """
    try:
        relative = Path(inner_path(name, name="path"))
    except DatasetError:
        return None
    full = (serving.folder / relative).resolve()
    is_video = relative.suffix.lower() in VIDEO_SUFFIXES
    is_page = relative.suffix == ".html" and relative.parent == PAGES
    if not (is_video or is_page) or any(part.startswith(".") for part in relative.parts):
        return None
    return full if full.is_relative_to(serving.folder) and full.is_file() else None
