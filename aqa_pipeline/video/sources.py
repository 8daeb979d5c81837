"""What lies where a video is said to be: bytes and times at once, the digest where it is wanted."""

import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from aqa_pipeline.records import Source, Video
from aqa_pipeline.video.container import check_file
from aqa_pipeline.video.frame_folder import list_pictures
from aqa_pipeline.video.liveness import sign_of_life

CHUNK_BYTES = 1024**2


def source_of(video: Video) -> Source:
    """The source of a record that is made of this video now. Raises `VideoError` if there is no video.

    A file is read once per process, for a broadcast may hold many performances.
    """
    size, mtime_ns = size_and_time(video.path)
    return Source(
        digest=_digest_of(video.path, size, mtime_ns),
        size=size,
        mtime_ns=mtime_ns,
        start_frame=video.start_frame,
        stop_frame=video.stop_frame,
        fps=shown_fps(video),
    )


def shown_fps(video: Video) -> float | None:
    """How fast a folder of pictures is shown; a file has a clock of its own."""
    return video.fps if video.path.is_dir() else None


def size_and_time(path: Path) -> tuple[int, int]:
    """Bytes, and when they last changed (`mtime_ns`), of a file, or of the pictures of a folder together.

    A folder's time is the latest of its own, which tells of pictures that come and go, and its pictures'.
    """
    if not path.is_dir():
        check_file(path)
        facts = path.stat()
        return facts.st_size, facts.st_mtime_ns
    pictures = [picture.stat() for picture in list_pictures(path)]
    times = [path.stat().st_mtime_ns, *(picture.st_mtime_ns for picture in pictures)]
    return sum(picture.st_size for picture in pictures), max(times)


@lru_cache(maxsize=1024)
def _digest_of(path: Path, size: int, mtime_ns: int) -> str:
    return source_digest(path)


def source_digest(path: Path) -> str:
    """SHA-256 (hex) of the file's bytes; for a folder, of its pictures' names, sizes and bytes in order.

    Raises `VideoError` if there is none.
    """
    digest = hashlib.sha256()
    if not path.is_dir():
        check_file(path)
        _add_file(path, digest.update)
        return digest.hexdigest()
    for picture in list_pictures(path):
        # the size ends the name, so that moving bytes from one file to the next is another digest
        digest.update(f"{picture.name}\0{picture.stat().st_size}\0".encode())
        _add_file(picture, digest.update)
    return digest.hexdigest()


def _add_file(path: Path, update: Callable[[bytes], object]) -> None:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            sign_of_life()
            update(chunk)
