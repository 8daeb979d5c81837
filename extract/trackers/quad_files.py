"""Find the file, or the clip of a JSON file, with a video's quads.

It has the video's id as its name, or the only other spelling of the id.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote

from aqa_pipeline.athlete.quads import read_quads
from aqa_pipeline.datasets.reading.file_names import NameIndex, Spellings, respelled_note
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.records import Video
from aqa_pipeline.sources.compare import ANNOTATIONS, boxes_digest
from aqa_pipeline.store import file_name

ENDING = ".csv"


def quads_file(folder: Path, video_id: str) -> Path:
    """Return the path where a video's quads are or should be. Raise `DatasetError` if several files fit."""
    path = folder / f"{file_name(video_id)}{ENDING}"
    if path.is_file() or not folder.is_dir():
        return path
    listed = _listed(folder, folder.stat().st_mtime_ns)
    found = choose(video_id, listed.by_id, where=str(folder))
    return path if found is None else folder / listed.names[found]


def quads_digest(folder: Path, video_id: str) -> str | None:
    """Return the digest of a video's quads; None without a file, or if several fit.

    Reading the quads will raise the error.
    """
    try:
        return boxes_digest(quads_file(folder, video_id), elsewhere=True)
    except DatasetError:
        return None


def choose(video_id: str, index: NameIndex, *, where: str) -> str | None:
    """Return the name that fits a video's id, None without one. Raise `DatasetError` if several fit."""
    spellings = Spellings()
    found = spellings.choose(video_id, index.fitting(video_id))
    if spellings.unclear:
        raise DatasetError(f"{where}: {spellings.problems[0]}")
    return found


def quads_notes(tracker: str | None, videos: Sequence[Video]) -> tuple[str, ...]:
    """Return a note on videos whose quads have another spelling of the id; () unless `annotations:PATH`."""
    kind, _, place = (tracker or "").partition(":")
    path = Path(place)
    if kind != ANNOTATIONS or not place or not path.exists():
        return ()
    index = _listed(path, path.stat().st_mtime_ns).by_id if path.is_dir() else NameIndex(read_quads(path))
    spellings = Spellings()
    for video in videos:
        spellings.choose(video.video_id, index.fitting(video.video_id))
    return (respelled_note(spellings.respelled, what="tube"),) if spellings.respelled else ()


class _Listed:
    """The CSV files of a folder by the video ids that their names encode."""

    def __init__(self, names: Iterable[str]) -> None:
        csvs = [name for name in names if name.lower().endswith(ENDING)]
        self.names = {unquote(name[: -len(ENDING)]): name for name in csvs}
        self.by_id = NameIndex(self.names)


@lru_cache(maxsize=4)
def _listed(folder: Path, changed: int) -> _Listed:
    """List the folder, once for each time `changed` of its last change."""
    return _Listed(sorted(path.name for path in folder.iterdir()))
