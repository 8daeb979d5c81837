"""What lies in a store's folders, seen without following a link: a link may lead anywhere on the disk."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from aqa_pipeline.disk.files import is_left_over
from aqa_pipeline.store.places import Problem


def entries_of(folder: Path) -> list["os.DirEntry[str]"]:
    """Return the entries of the folder by name; none where there is no folder."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []


def is_folder(entry: "os.DirEntry[str]") -> bool:
    """Return whether it is a folder, and no link to one."""
    return entry.is_dir(follow_symlinks=False)


def is_file(entry: "os.DirEntry[str]") -> bool:
    """Return whether it is a regular file, and no link to one."""
    return entry.is_file(follow_symlinks=False)


def is_regular(path: Path) -> bool:
    """Return whether a regular file lies at `path`, and no link to one."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return False


def foreign(entry: "os.DirEntry[str]") -> Problem:
    """Return the problem with what no store writes: it is listed, and never followed, moved or deleted."""
    reason = "it is a link, which a store never follows" if entry.is_symlink() else "it is no record"
    return Problem(Path(entry.path), reason, kind="foreign")


def problems_with_part(part: Path) -> Iterator[tuple[Path, Problem]]:
    """Yield an interrupted write as a problem: it takes room. A write that still runs is none."""
    try:
        left_over = is_left_over(part)
    except FileNotFoundError:  # it is in its place by now
        return
    if left_over:
        yield part, Problem(part, "it is left over from an interrupted write", kind="left over")
