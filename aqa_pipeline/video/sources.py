"""Describe the source file of a video: its size and time at once, its digest on demand."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from aqa_pipeline.errors import VideoError
from aqa_pipeline.records import Source, Video
from aqa_pipeline.untrusted.bounded_files import open_bounded
from aqa_pipeline.video.container import check_file
from aqa_pipeline.video.liveness import sign_of_life
from aqa_pipeline.video.readers.frame_folder import list_pictures

CHUNK_BYTES = 1024**2


class Disk:
    """A cache of sizes, times and digests of files. Each file is read once.

    Keep a `Disk` for one run only, because it does not see later changes. The cache matters because many
    performances share one broadcast, whose folder may hold a quarter of a million pictures.
    """

    def __init__(self) -> None:
        self._facts: dict[Path, tuple[int, int]] = {}
        self._digests: dict[Path, str] = {}

    def size_and_time(self, path: Path) -> tuple[int, int]:
        """Return `size_and_time` of a file, or of a folder of pictures."""
        if path not in self._facts:
            self._facts[path] = size_and_time(path)
        return self._facts[path]

    def digest(self, path: Path) -> str:
        """Return the SHA-256 of a file, or of a folder of pictures."""
        if path not in self._digests:
            self._digests[path] = source_digest(path)
        return self._digests[path]


def source_of(video: Video, disk: Disk | None = None) -> Source:
    """Return the source of a record that is made from this video now. Raise `VideoError` without a video."""
    disk = disk or Disk()
    size, mtime_ns = disk.size_and_time(video.path)
    return Source(
        digest=disk.digest(video.path),
        size=size,
        mtime_ns=mtime_ns,
        start_frame=video.start_frame,
        stop_frame=video.stop_frame,
        fps=shown_fps(video),
    )


def shown_fps(video: Video) -> float | None:
    """Return the frame rate of a folder of pictures; None for a file, which has its own clock."""
    return video.fps if video.path.is_dir() else None


def size_and_time(path: Path) -> tuple[int, int]:
    """Return the size of a file in bytes and the time of its last change (`mtime_ns`).

    For a folder of pictures, return the sum of their sizes, and a hash of the folder's time and of each
    picture's name, size and time. The latest time alone would miss a picture replaced by an older one.
    """
    if not path.is_dir():
        check_file(path)
        facts = path.stat()
        return facts.st_size, facts.st_mtime_ns
    size, times = 0, hashlib.sha256(str(path.stat().st_mtime_ns).encode())
    for name in list_pictures(path).names:
        facts = os.stat(os.path.join(path, name))
        size += facts.st_size
        times.update(os.fsencode(f"\0{name}\0{facts.st_size}\0{facts.st_mtime_ns}"))
    return size, int.from_bytes(times.digest()[:8])


def source_digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hex. For a folder, it covers names, sizes and bytes of its pictures.

    Raises `VideoError` if there is no such file or folder.
    """
    digest = hashlib.sha256()
    if not path.is_dir():
        check_file(path)
        _add_file(path, digest.update)
        return digest.hexdigest()
    for picture in list_pictures(path):
        # The size is hashed too, so that moving bytes from one file to the next changes the digest.
        digest.update(f"{picture.name}\0{picture.stat().st_size}\0".encode())
        _add_file(picture, digest.update)
    return digest.hexdigest()


def _add_file(path: Path, update: Callable[[bytes], object]) -> None:
    try:
        with open_bounded(path) as file:
            while chunk := file.read(CHUNK_BYTES):
                sign_of_life()
                update(chunk)
    except OSError as error:
        raise VideoError(f"{path}: this file cannot be read: {error.strerror or error}") from error
