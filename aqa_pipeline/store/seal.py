"""The seal: the SHA-256 of all bytes of an HDF5 file, in one line behind them.

A record's own checksum stands for what it says. The seal stands for the bytes, gaps and metadata included,
so that no flipped bit goes unseen, and a damaged file is known before the HDF5 library parses it. HDF5 knows
where its part of a file ends, and reads no further: files with and without a seal are read alike, by any
program.
"""

import hashlib
import os
from pathlib import Path
from typing import Any

PREFIX = b"aqa-sealed-sha256 "
NUM_SEAL_BYTES = len(PREFIX) + 64 + 1
CHUNK_BYTES = 1 << 20

# HDF5's superblock, versions 2 and 3: signature (8), version (1), sizes and flags (3), base, extension, end.
SIGNATURE = b"\x89HDF\r\n\x1a\n"
END_AT = slice(28, 36)


def seal_file(path: Path) -> None:
    """Write the seal behind an HDF5 file that was just written, and sync the file."""
    with path.open("r+b") as file:
        digest = _digest(file, path.stat().st_size)
        file.seek(0, os.SEEK_END)
        file.write(_line(digest))
        file.flush()
        os.fsync(file.fileno())


def is_sealed(path: Path) -> bool:
    """Whether a seal ends the file, right or wrong."""
    with path.open("rb") as file:
        return _end_of(file, path).startswith(PREFIX)


def seal_problem(path: Path) -> str | None:
    """Why the bytes are not those that were sealed, or None. Raises `OSError` where they cannot be read.

    Without a seal, nothing may lie behind the end that HDF5 knows.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        line = _end_of(file, path)
        file.seek(0)
        if line.startswith(PREFIX):
            sound = _line(_digest(file, size - NUM_SEAL_BYTES)) == line
            return None if sound else "its bytes are not those that were written"
        head = file.read(END_AT.stop)
    if not head.startswith(SIGNATURE):
        return "it is no HDF5 file"
    end = int.from_bytes(head[END_AT], "little")
    return None if size == end else f"it has {size:,} bytes, of which HDF5 knows {end:,}, and no seal"


def _end_of(file: Any, path: Path) -> bytes:
    file.seek(max(0, path.stat().st_size - NUM_SEAL_BYTES))
    end: bytes = file.read()
    return end


def _digest(file: Any, num_bytes: int) -> Any:
    """SHA-256 of that many bytes from here on."""
    digest = hashlib.sha256()
    while num_bytes and (chunk := file.read(min(CHUNK_BYTES, num_bytes))):
        digest.update(chunk)
        num_bytes -= len(chunk)
    return digest


def _line(digest: Any) -> bytes:
    return PREFIX + digest.hexdigest().encode() + b"\n"
