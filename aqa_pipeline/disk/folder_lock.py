"""Lock a folder for one writer at a time. The lock ends with its process, even if the process is killed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aqa_pipeline.errors import RunError


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Make the folder and lock it while the block lasts; raise `RunError` if another command holds the lock.

    The lock is a kernel lock on the folder itself, so it leaves no file. Windows and some network disks have
    no such lock; there the block runs without one.
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
                f"another command is writing into {folder}. Wait until it ends, or choose another --out."
            ) from None
        except OSError:  # no locks here
            pass
        yield
    finally:
        os.close(opened)
