"""What lies in a dataset's folder: video files, folders of pictures, label files, boxes."""

from collections.abc import Sequence
from pathlib import Path

from aqa_pipeline.errors import DatasetError
from aqa_pipeline.outside import LABEL_BYTES, read_outside_text

VIDEO_SUFFIXES = frozenset(
    (
        ".mp4",
        ".avi",
        ".mkv",
        ".webm",
        ".mov",
        ".m4v",
        ".mpg",
        ".mpeg",
        ".ts",
        ".m2ts",
        ".flv",
        ".wmv",
        ".ogv",
        ".3gp",
    )
)
PICTURE_SUFFIXES = frozenset((".jpg", ".jpeg", ".png"))


def is_frame_folder(path: Path) -> bool:
    """Whether `path` is a folder that holds pictures."""
    return path.is_dir() and any(
        entry.suffix.lower() in PICTURE_SUFFIXES and not entry.name.startswith(".")
        for entry in path.iterdir()
    )


def is_video_file(path: Path) -> bool:
    """Whether `path` is a file named like a video. Hidden files (unfinished downloads) are not."""
    return path.suffix.lower() in VIDEO_SUFFIXES and not path.name.startswith(".") and path.is_file()


def without_video_suffix(name: str) -> str:
    """`a/b.mp4` -> `a/b`; any other ending stays, since names may hold dots."""
    stem, dot, suffix = name.rpartition(".")
    return stem if dot and stem and f".{suffix.lower()}" in VIDEO_SUFFIXES else name


def scan_videos(folder: Path) -> dict[str, Path]:
    """Video files (by name without suffix) and frame folders (by name) directly in `folder`.

    Where one name has several endings the first in alphabetical order is taken. Empty if there is no folder.
    """
    if not folder.is_dir():
        return {}
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if is_video_file(path) or is_frame_folder(path):
            found.setdefault(without_video_suffix(path.name) if path.is_file() else path.name, path)
    return found


def find_parts(
    root: Path, parts: Sequence[Sequence[str]], *, folders: Sequence[str], layout: str
) -> list[Path]:
    """One file per part: the first of its names that lies in one of `folders` (names before folders).

    Raises `DatasetError` with all missing parts in one message, and `layout`.
    """
    found = [
        next((root / at / name for name in names for at in folders if (root / at / name).is_file()), None)
        for names in parts
    ]
    missing = [
        " (or ".join(names) + ")" * (len(names) - 1)
        for names, path in zip(parts, found, strict=True)
        if not path
    ]
    if missing:
        raise DatasetError(f"no {' and no '.join(missing)} in {root}. Expected:\n{layout}")
    return [path for path in found if path]


def boxes_beside(root: Path, video_id: str) -> Path | None:
    """`root/boxes/<video id>.csv` where it exists: person boxes that came with the data."""
    path = root / "boxes" / f"{video_id}.csv"
    return path if path.is_file() else None


def read_label_text(path: Path) -> str:
    """Return the text of a label file: UTF-8 with or without byte order mark, or UTF-16 with one.

    Raises `DatasetError` for other encodings: a wrong guess would change the names of videos.
    """
    try:
        text = read_outside_text(path, most_bytes=LABEL_BYTES)
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
