"""Global heaps, where HDF5 keeps texts of variable length: their sizes, checked before HDF5 reads them.

HDF5 has checksums on all its own structures but these, and walks from object to object by the sizes that it
finds: one size of zero and it walks for ever (seen with HDF5 2.0). Records that we write have texts of fixed
length and no heap; those of earlier versions, and of strangers, may have one.
"""

import mmap
from functools import lru_cache
from pathlib import Path

# "Disk Format: Level 1E - Global Heap" of HDF5's file format specification.
SIGNATURE = b"GCOL\x01\0\0\0"
HEADER_BYTES = 16  # signature, version, reserved, size
OBJECT_BYTES = 16  # number, references, reserved, size


def heap_problem(path: Path) -> str | None:
    """What is wrong with a global heap of that file, or None."""
    facts = path.stat()
    return _problem(path, facts.st_size, facts.st_mtime_ns)


@lru_cache(maxsize=64)
def _problem(path: Path, size: int, _: int) -> str | None:
    """Once per file and state: each of its texts asks."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as content:
        at = content.find(SIGNATURE)
        while at >= 0:
            if not _is_sound(content, at):
                return f"its heap at byte {at:,} is damaged"
            at = content.find(SIGNATURE, at + 1)
    return None


def _is_sound(content: mmap.mmap, start: int) -> bool:
    """Whether the objects of the heap follow each other up to its end."""
    end = start + _number(content, start + 8, 8)
    at = start + HEADER_BYTES
    if not at <= end <= len(content):
        return False
    while at + OBJECT_BYTES <= end:
        number, num_bytes = _number(content, at, 2), _number(content, at + 8, 8)
        # Number 0 is the free rest, its size counts its own header; other objects are filled up to 8 bytes.
        step = num_bytes if number == 0 else OBJECT_BYTES + -(-num_bytes // 8) * 8
        if step < OBJECT_BYTES or at + step > end:
            return False
        at += step
    return True


def _number(content: mmap.mmap, at: int, num_bytes: int) -> int:
    return int.from_bytes(content[at : at + num_bytes], "little")
