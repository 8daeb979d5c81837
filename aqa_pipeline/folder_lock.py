"""One writer at a time for a folder: a lock that ends with its process, however that ends."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aqa_pipeline.errors import RunError


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Makes the folder and keeps other commands from writing into it; raises `RunError` if one does already.

    The lock is the kernel's, on the folder itself: it leaves no file, and a killed process holds none. Where
    there is no such lock (Windows, some network disks), two commands are kept apart by unique names alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        import fcntl

        opened = os.open(folder, os.O_RDONLY)
    except (ImportError, PermissionError):
        yield
        return
    try:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(
                f"another command is writing into {folder} right now. Wait until it ends, or name another "
                "--out."
            ) from None
        except OSError:  # no locks here
            pass
        yield
    finally:
        os.close(opened)
