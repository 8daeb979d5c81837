"""Names and whole files: no id leaves its folder, and no file is ever seen half-written."""

import hashlib
import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import quote

from aqa_pipeline.errors import StoreError

LONGEST_NAME_BYTES = 200
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
    part = _part_beside(path)
    try:
        yield part
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _part_beside(path: Path) -> Path:
    """A name of this very write: other threads, processes and machines may write the same file now."""
    # The name is hashed: the longest one, a machine and a number do not fit into 255 bytes together.
    name = hashlib.sha256(path.name.encode()).hexdigest()[:16]
    return path.with_name(f".{name}-{secrets.token_hex(4)}@{machine()}@{os.getpid()}.part")


def is_part(path: Path) -> bool:
    """Whether this is the temporary file of a write, running or interrupted."""
    return path.name.startswith(".") and path.name.endswith(".part")


def is_left_over(part: Path) -> bool:
    """Whether nobody writes this temporary file any more: its process here is gone, or it is a day old."""
    where, pid = part.name.removesuffix(".part").split("@")[-2:]
    if where == machine() and pid.isdigit():
        return not _is_running(int(pid))
    return time.time() - part.stat().st_mtime > LEFT_OVER_SECONDS


@cache
def machine() -> str:
    """This host and its namespace of process numbers: containers may share the one and not the other."""
    try:
        namespace = os.stat("/proc/self/ns/pid").st_ino
    except OSError:  # not Linux
        return socket.gethostname()
    return f"{socket.gethostname()}-{namespace}"


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
