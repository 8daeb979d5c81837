"""Take an upload in: stream it to a file, check it, and put it among the videos without overwriting any."""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unicodedata import normalize

from aqa.serve.looking.look import Look, look_at
from aqa.serve.own_folders import STATE, own_folder
from aqa.serve.serving import Serving
from aqa_pipeline.datasets.reading.field_values import inner_path
from aqa_pipeline.datasets.reading.video_endings import VIDEO_SUFFIXES
from aqa_pipeline.disk.free_space import free_bytes
from aqa_pipeline.errors import AqaError, DatasetError, VideoError
from aqa_pipeline.project.new import VIDEOS
from aqa_pipeline.spelling import folded
from aqa_pipeline.video import source_digest

# Signs that a disk of another system refuses, or that end a name early there.
NOT_PORTABLE = re.compile(r'[<>:"|?*/\\]')
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # on Windows
FREE_BYTES = 256 * 1024**2  # to be left on the disk


class UploadRefused(AqaError):
    """An upload that is not taken in. The message says why; `status_code` is the answer's."""

    def __init__(self, message: str, status_code: int = 400) -> None:
        super().__init__(message)
        self.status_code = status_code


@dataclass(frozen=True)
class Arrived:
    """A video that was taken in: its path in the project's folder, and what it holds."""

    video: str
    look: Look


def safe_name(given: str) -> str:
    """Return the name of an upload as a file name; raise `UploadRefused` for a name that could do harm.

    A browser may send the path of the file: its last part counts.
    """
    name = normalize("NFC", re.split(r"[/\\]", given)[-1].strip())
    try:
        inner_path(name, name="name")
    except DatasetError as error:
        raise UploadRefused(f"{error}.") from error
    if (
        name.startswith((".", "-"))
        or name.endswith(".")
        or NOT_PORTABLE.search(name)
        or RESERVED.fullmatch(name)
    ):
        raise UploadRefused(f"the name {name[:80]!r} does not suit every disk: rename the file.")
    if Path(name).suffix.lower() not in VIDEO_SUFFIXES:
        raise UploadRefused(
            f"{name[:80]} has no ending of a video. Known: {', '.join(sorted(VIDEO_SUFFIXES))}.", 415
        )
    return name


def check_size(serving: Serving, num_bytes: int) -> None:
    """Raise `UploadRefused` for an upload that is too large for the server or for its disk."""
    if num_bytes > serving.max_upload_bytes:
        raise UploadRefused(
            f"the video has more than {serving.max_upload_bytes / 1024**3:g} GiB: "
            "`aqa serve --max-upload` allows more.",
            413,
        )
    if num_bytes + FREE_BYTES > free_bytes(serving.root):
        raise UploadRefused("the disk has too little room for this video.", 507)


def clear_incoming(serving: Serving) -> None:
    """Delete uploads that a killed server left half-written."""
    for left in own_folder(serving.folder, STATE, "incoming").iterdir():
        shutil.rmtree(left, ignore_errors=True)


@contextmanager
def incoming_folder(serving: Serving) -> Iterator[Path]:
    """Yield a folder for one upload; it is deleted with what is left in it."""
    place = own_folder(serving.folder, STATE, "incoming")
    folder = Path(tempfile.mkdtemp(dir=place))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def receive(serving: Serving, pieces: AsyncIterator[bytes], part: Path) -> str:
    """Write an upload into `part` and return its SHA-256; raise `UploadRefused` once it is too large."""
    digest, num_bytes = hashlib.sha256(), 0
    with part.open("xb") as file:
        async for piece in pieces:
            num_bytes += len(piece)
            check_size(serving, num_bytes)
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    if num_bytes == 0:
        raise UploadRefused("the file is empty.")
    return digest.hexdigest()


def take_in(serving: Serving, part: Path, digest: str) -> Arrived:
    """Move a received file among the videos, under its own name or the next free one.

    Raises `UploadRefused` for a file that is there already, and for one that the decoder cannot open.
    """
    if (twin := _same_content(serving, part, digest)) is not None:
        raise UploadRefused(f"this is the video {twin}, which is here already.", 409)
    try:
        look = look_at(part)
    except VideoError as error:
        raise UploadRefused(f"{part.name} cannot be opened as a video: {error}", 415) from error
    folder = own_folder(serving.folder, *serving.root.relative_to(serving.folder).parts, VIDEOS)
    while True:
        target = folder / _free_name(folder, part.name)
        try:
            _move(part, target)
        except FileExistsError:  # another upload was faster
            continue
        return Arrived(target.relative_to(serving.folder).as_posix(), look)


def _same_content(serving: Serving, part: Path, digest: str) -> str | None:
    """Return the name of a video in the project with the same content."""
    size = part.stat().st_size
    for folder in (serving.root / VIDEOS, serving.root):
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            is_video = path.suffix.lower() in VIDEO_SUFFIXES and path.is_file()
            if is_video and path.stat().st_size == size and source_digest(path) == digest:
                return path.name
    return None


def _free_name(folder: Path, name: str) -> str:
    """Return the name, or the first of `name-2.mp4`, `name-3.mp4`, ... that no file of the folder has."""
    taken = {folded(path.name) for path in folder.iterdir()}
    stem, suffix = Path(name).stem, Path(name).suffix
    number, free = 1, name
    while folded(free) in taken:
        number += 1
        free = f"{stem}-{number}{suffix}"
    return free


def _move(part: Path, target: Path) -> None:
    """Move a file to a name that nothing has; raise `FileExistsError` if something has it by now."""
    try:
        os.link(part, target)  # fails if the target exists, where a rename would overwrite it
    except FileExistsError:
        raise
    except OSError:  # a disk without hard links: take the name first
        target.open("xb").close()
        os.replace(part, target)
    else:
        part.unlink()
