"""Find the files of a dataset in its folder: video files, folders of pictures, label files, boxes."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from aqa_pipeline.datasets.reading.file_names import FolderNames, NameIndex, Spellings
from aqa_pipeline.datasets.reading.video_endings import PREVIEW_SUFFIX, VIDEO_SUFFIXES, without_video_suffix
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.untrusted.bounded_files import LABEL_BYTES, read_bounded_text

PICTURE_SUFFIXES = frozenset((".jpg", ".jpeg", ".png"))


def is_frame_folder(path: Path) -> bool:
    """Return whether `path` is a folder that holds pictures."""
    return path.is_dir() and any(
        entry.suffix.lower() in PICTURE_SUFFIXES and not entry.name.startswith(".")
        for entry in path.iterdir()
    )


def is_video_file(path: Path) -> bool:
    """Return whether `path` is a file with a video ending. Hidden files (unfinished downloads) are not."""
    return path.suffix.lower() in VIDEO_SUFFIXES and not path.name.startswith(".") and path.is_file()


class Shelf(Mapping[str, Path]):
    """Videos by name without ending. `find` also accepts other spellings, which `spellings` records."""

    def __init__(self, videos: Mapping[str, Path], spellings: Spellings) -> None:
        self._videos, self._index, self._spellings = videos, NameIndex(videos), spellings

    def find(self, *names: str) -> Path | None:
        """Return the first of these videos: in its exact spelling if possible, else in another spelling."""
        for name in names:
            if name in self._videos:
                return self._videos[name]
        found = (self._spellings.choose(name, self._index.fitting(name)) for name in names)
        return next((self._videos[name] for name in found if name is not None), None)

    def __getitem__(self, name: str) -> Path:
        return self._videos[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._videos)

    def __len__(self) -> int:
        return len(self._videos)


def scan_videos(names: FolderNames, *folders: str) -> Shelf:
    """Return video files (by name without ending) and folders of pictures (by name) directly in the folders.

    Earlier folders have priority. If one name has several endings, the first in alphabetical order is taken,
    .gif last.
    """
    found: dict[str, Path] = {}
    for folder in folders:
        at = names.find(folder)
        for name in sorted(
            names.names_in(folder), key=lambda name: (name.lower().endswith(PREVIEW_SUFFIX), name)
        ):
            assert at is not None
            path = at / name
            if is_video_file(path):
                found.setdefault(without_video_suffix(name), path)
            elif is_frame_folder(path):
                found.setdefault(name, path)
    return Shelf(found, names.spellings)


def find_parts(
    names: FolderNames, parts: Sequence[Sequence[str]], *, folders: Sequence[str], layout: str
) -> list[Path]:
    """Return one file per part: its first name that is in one of `folders` (names before folders).

    Raises `DatasetError` with all missing parts and `layout`.
    """
    found = [names.find_file(*(f"{at}/{name}" for name in part for at in folders)) for part in parts]
    missing = [
        " (or ".join(part) + ")" * (len(part) - 1)
        for part, path in zip(parts, found, strict=True)
        if not path
    ]
    if missing:
        unclear = "".join(f" {problem}." for problem in names.spellings.problems)
        raise DatasetError(f"no {' and no '.join(missing)} in {names.root}.{unclear} Expected:\n{layout}")
    return [path for path in found if path]


def boxes_beside(names: FolderNames, video_id: str) -> Path | None:
    """Return `boxes/<video id>.csv` below the root if it exists: person boxes of the dataset."""
    return names.find_file(f"boxes/{video_id}.csv")


def read_label_text(path: Path) -> str:
    """Return the text of a label file: UTF-8 with or without byte order mark, or UTF-16 with one.

    Raises `DatasetError` for other encodings, because a wrong guess would change the names of videos.
    """
    try:
        text = read_bounded_text(path, most_bytes=LABEL_BYTES)
    except UnicodeDecodeError as error:
        raise DatasetError(
            f"{path} is not UTF-8 text (byte {error.start}: {error.reason}). Save it as UTF-8 (spreadsheets "
            'call it "CSV UTF-8") and try again.'
        ) from error
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}") from error
    if not text.strip():
        raise DatasetError(f"{path} is empty: expected one line per video")
    return text
