"""What lies where a video is said to be: bytes and times at once, the digest where it is wanted."""

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
    """What lies on disk, each file asked once, its bytes and times before its digest.

    Whoever keeps one longer than a run will not see what changes meanwhile. A broadcast may hold many
    performances, and its folder a quarter of a million pictures.
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
        """SHA-256 of a file, or of a folder of pictures."""
        if path not in self._digests:
            self._digests[path] = source_digest(path)
        return self._digests[path]


def source_of(video: Video, disk: Disk | None = None) -> Source:
    """The source of a record that is made of this video now. Raises `VideoError` if there is no video."""
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
    """How fast a folder of pictures is shown; a file has a clock of its own."""
    return video.fps if video.path.is_dir() else None


def size_and_time(path: Path) -> tuple[int, int]:
    """Return the bytes of a file and when they last changed (`mtime_ns`).

    Of a folder of pictures, return their bytes together, and a number made of the folder's time and of each
    picture's name, size and time: the latest time would hide an older picture in the place of another.
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
    try:
        with open_bounded(path) as file:
            while chunk := file.read(CHUNK_BYTES):
                sign_of_life()
                update(chunk)
    except OSError as error:
        raise VideoError(f"{path}: this file cannot be read: {error.strerror or error}") from error
