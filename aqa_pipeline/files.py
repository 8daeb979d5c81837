"""Names and whole files: no id leaves its folder, and no file is ever seen half-written."""

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
SAME_TARGET = len(".0123456789abcdef-")  # the start of a part's name, which is that of its target alone
LEFT_OVER_SECONDS = 24 * 3600  # nobody writes one file for a day


def file_name(text: str) -> str:
    """Any id as one safe file name, reversible by `urllib.parse.unquote`: '../x' -> '%2E%2E%2Fx'."""
    encoded = quote(text, safe=" ")
    encoded = encoded.replace(".", "%2E") if encoded.startswith(".") else encoded
    if len(encoded) > LONGEST_NAME_BYTES:
        raise StoreError(
            f"the id {text[:40]!r}... is too long for a file name "
            f"({len(encoded)} > {LONGEST_NAME_BYTES} bytes)."
        )
    return encoded


def write_whole(path: Path, content: bytes, *, only_if_absent: bool = False) -> None:
    """Writes under a temporary name, syncs and moves in place, so that `path` is never seen half-written."""
    if only_if_absent and path.exists():
        return
    with whole_file(path) as part, part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary file beside `path` to write and sync; it takes its place when the block ends well."""
    part = part_beside(path)
    try:
        yield part
        os.replace(part, path)
    except BaseException as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename in (None, str(part)):
            error.filename, error.filename2 = str(path), None  # the name that who asked for it knows
        raise


def part_beside(path: Path) -> Path:
    """A name of this very write: other threads, processes and machines may write the same file now."""
    # The name is hashed: the longest one, a machine and a number do not fit into 255 bytes together.
    name = hashlib.sha256(path.name.encode()).hexdigest()[:16]
    return path.with_name(f".{name}-{secrets.token_hex(4)}@{machine()}@{os.getpid()}.part")


def is_part(path: Path) -> bool:
    """Return whether this is the name of a temporary file of `whole_file`, running or interrupted."""
    return PART.fullmatch(path.name) is not None


def is_left_over(part: Path) -> bool:
    """Return whether nobody writes this temporary file any more: its process is gone, or it is a day old.

    A link is none of our files, whatever its name.
    """
    return not part.is_symlink() and part.is_file() and _is_abandoned(part)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path` to fill and to move into its place; it is gone after the block.

    What interrupted writes of the same folder left behind is cleared away first.
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
    if name["machine"] == machine() and sys.platform != "win32":  # where a signal 0 ends the process
        return not _is_running(int(name["pid"]))
    return time.time() - part.stat().st_mtime > LEFT_OVER_SECONDS


def clear_left_overs(folder: Path) -> None:
    """Delete the temporary files directly in `folder` that nobody writes any more.

    One that cannot be deleted harms nobody.
    """
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
    """Return what the process numbers here belong to: this start of this machine, and their namespace.

    Host names repeat, on clones and in containers, and so do namespaces. The boot id does not.
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
