"""Read facts about processes from Linux's /proc."""

import os
import time
from pathlib import Path

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def children_of(pid: int) -> list[int]:
    """Return the ids of the process's children, started by any of its threads."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def ends(pid: int, *, within_seconds: float) -> bool:
    """Return True if the process ends in time; a zombie has ended."""
    deadline = time.monotonic() + within_seconds
    while (fields := _fields(pid)) and fields[0] != "Z":
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def cpu_seconds(pid: int) -> float:
    """Return the user and system time of a process in seconds; 0 if it is gone."""
    fields = _fields(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND if fields else 0.0


def resident_megabytes(pid: int) -> float:
    """Return the resident memory of a process in MB; 0 if it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES / 1e6
    except (FileNotFoundError, ProcessLookupError):
        return 0.0


def _fields(pid: int) -> list[str]:
    """Return state, parent and the further fields after the name (proc(5)); [] if the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
