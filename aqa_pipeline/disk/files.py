"""Make safe file names, and write files and folders so that no reader sees them half-written."""

import hashlib
import logging
import os
import re
import secrets
import shutil
import socket
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from urllib.parse import quote

from aqa_pipeline.errors import StoreError

log = logging.getLogger(__name__)

LONGEST_NAME_BYTES = 200
PART = re.compile(r"\.[0-9a-f]{16}-[0-9a-f]{8}@(?P<machine>[^@]+)@(?P<pid>[0-9]+)\.part")
SAME_TARGET = len(".0123456789abcdef-")  # length of the prefix of a part's name that depends on its target
LEFT_OVER_SECONDS = 24 * 3600  # no write of one file takes a day


def file_name(text: str) -> str:
    """Return an id as one safe file name: '../x' -> '%2E%2E%2Fx'. `urllib.parse.unquote` reverses it.

    Raises `StoreError` for an id that is too long.
    """
    encoded = quote(text, safe=" ")
    encoded = encoded.replace(".", "%2E") if encoded.startswith(".") else encoded
    if len(encoded) > LONGEST_NAME_BYTES:
        raise StoreError(
            f"the id {text[:40]!r}... is too long for a file name "
            f"({len(encoded)} > {LONGEST_NAME_BYTES} bytes). Rename the video."
        )
    return encoded


def write_whole(path: Path, content: bytes, *, only_if_absent: bool = False) -> None:
    """Write under a temporary name, sync, and move to `path`, so that no reader sees a half-written file."""
    if only_if_absent and path.exists():
        return
    with whole_file(path) as part, part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`. The block writes it; without error it then replaces `path`."""
    part = part_beside(path)
    try:
        yield part
        os.replace(part, path)
    except BaseException as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename in (None, str(part)):
            error.filename, error.filename2 = str(path), None  # the caller knows this name
        raise


def part_beside(path: Path) -> Path:
    """Return a temporary path that no other thread, process or machine uses for the same target."""
    # The name is hashed, because the longest name, a machine and a number do not fit into 255 bytes.
    name = hashlib.sha256(path.name.encode()).hexdigest()[:16]
    return path.with_name(f".{name}-{secrets.token_hex(4)}@{machine()}@{os.getpid()}.part")


def is_part(path: Path) -> bool:
    """Return whether this is the name of a temporary file of `whole_file`, running or interrupted."""
    return PART.fullmatch(path.name) is not None


def is_left_over(part: Path) -> bool:
    """Return whether this temporary file is abandoned: its process has ended, or it is a day old.

    A symbolic link is never a temporary file of this package, whatever its name.
    """
    return not part.is_symlink() and part.is_file() and _is_abandoned(part)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`. The block fills it and moves it into place.

    A folder that was not moved is deleted after the block. Left-over folders of interrupted writes of the
    same `path` are deleted first.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = part_beside(path)
    for other in path.parent.glob(f"{part.name[:SAME_TARGET]}*.part"):
        if other.is_dir() and not other.is_symlink() and _is_abandoned(other):
            shutil.rmtree(other, ignore_errors=True)
    part.mkdir()
    try:
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _is_abandoned(part: Path) -> bool:
    name = PART.fullmatch(part.name)
    if name is None:
        return False
    if name["machine"] == machine() and sys.platform != "win32":  # on Windows, signal 0 ends the process
        return not _is_running(int(name["pid"]))
    return time.time() - part.stat().st_mtime > LEFT_OVER_SECONDS


def clear_left_overs(folder: Path) -> None:
    """Delete the abandoned temporary files directly in `folder`. Log those that cannot be deleted."""
    if not folder.is_dir():
        return
    with os.scandir(folder) as entries:
        parts = [folder / entry.name for entry in entries if PART.fullmatch(entry.name)]
    for part in parts:
        try:
            if is_left_over(part):
                part.unlink(missing_ok=True)
        except OSError as error:
            log.warning("%s is left over and cannot be deleted: %s", part, error)


@cache
def machine() -> str:
    """Return the scope in which a process number is unique: the boot of this machine and its PID namespace.

    Clones and containers share host names and namespace numbers, but not the boot id.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", "")
        return f"{boot}-{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:  # not Linux
        return f"{socket.gethostname().replace('@', '-')[:60]}-{uuid.getnode():012x}"


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
