"""Find the videos of a user's own folder: in the folder or in its `videos`, with or without their ending."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from aqa_pipeline.datasets.reading.disk import is_frame_folder
from aqa_pipeline.datasets.reading.file_names import FolderNames
from aqa_pipeline.datasets.reading.marks import is_date
from aqa_pipeline.datasets.reading.video_endings import without_previews, without_video_suffix
from aqa_pipeline.errors import DatasetError

VIDEOS = "videos"


def find_video(names: FolderNames, name: str) -> Path:
    """Return the path of the video, or the path at which it is expected.

    Raises `DatasetError` if the name fits several files.
    """
    places = [_Candidates(names, at) for at in (name, f"{VIDEOS}/{name}")]
    for fitting in (
        *(found for place in places for found in (place.spelled_so, place.with_ending)),
        *(found for place in places for found in (place.respelled, place.respelled_with_ending)),
    ):
        if len(fitting) > 1:
            raise DatasetError(f"video {name!r} fits {_names(fitting)}: {_advice(name, fitting)}")
        if fitting:
            _remember(names, name, fitting[0])
            return names.root / fitting[0]
    folder = names.find(VIDEOS)
    return (folder if folder is not None and folder.is_dir() else names.root) / name


class _Candidates:
    """The files that fit one name, by how well they fit."""

    def __init__(self, names: FolderNames, name: str) -> None:
        usable = [at for at in names.fitting(name) if _is_video(names.root / at)]
        files = [at for at in names.fitting_stem(name) if (names.root / at).is_file()]
        self.spelled_so = [at for at in usable if at == name]
        self.respelled = [at for at in usable if at != name]
        self.with_ending = without_previews(sorted(at for at in files if without_video_suffix(at) == name))
        self.respelled_with_ending = without_previews(
            sorted(at for at in files if without_video_suffix(at) != name)
        )


def _is_video(path: Path) -> bool:
    return path.is_file() or is_frame_folder(path)


def _remember(names: FolderNames, name: str, found: str) -> None:
    """Record another spelling of the video, or of the folder `videos` that holds it."""
    like_name = "/".join(found.split("/")[-len(PurePosixPath(name).parts) :])
    if without_video_suffix(name) == name:
        like_name = without_video_suffix(like_name)
    if like_name != name:
        names.spellings.take(name, like_name)
    elif not found.startswith((f"{VIDEOS}/", name)):
        names.find(VIDEOS)


def _names(found: Iterable[str]) -> str:
    return ", ".join(PurePosixPath(name).name for name in sorted(found))


def _advice(name: str, found: list[str]) -> str:
    one_stem = len({without_video_suffix(each) for each in found}) == 1
    return (
        "add the ending" if one_stem and without_video_suffix(name) == name else "spell it like one of them"
    )


def hints(names: FolderNames, absent: Iterable[str]) -> list[str]:
    """Return sentences on how a spreadsheet may have changed the names of absent videos."""
    by_number: dict[int, list[str]] = {}
    for at in (".", VIDEOS):
        for name in names.names_in(at):
            stem = without_video_suffix(name)
            if stem != name and stem.isdecimal():
                by_number.setdefault(int(stem), []).append(name)
    found = []
    for name in absent:
        stem = without_video_suffix(PurePosixPath(name).name)
        alike = by_number.get(int(stem), []) if stem.isdecimal() and stem.isascii() else []
        if alike:
            found.append(
                f"video {name!r} does not exist, but {', '.join(alike)} does: spreadsheets drop leading zeros"
            )
        elif is_date(stem):
            found.append(f"video {name!r} does not exist: spreadsheets turn names such as 01-02 into dates")
    return found
