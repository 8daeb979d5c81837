"""The free space of a disk."""

import shutil
from pathlib import Path


def existing_part(place: Path) -> Path:
    """Return the place itself if it exists, else the innermost folder above it that does."""
    return next(path for path in (place.absolute(), *place.absolute().parents) if path.exists())


def free_bytes(place: Path) -> int:
    """Return the free space on the disk of a file or folder, which need not exist yet."""
    return shutil.disk_usage(existing_part(place)).free
