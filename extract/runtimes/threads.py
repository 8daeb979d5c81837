"""How many threads a network's products are computed by. Importing this imports no torch."""

import os
import sys
from pathlib import Path


def num_threads() -> int:
    """As many as torch takes, where it is here to be asked; else OMP_NUM_THREADS, or one per core of ours."""
    if torch := sys.modules.get("torch"):
        return int(torch.get_num_threads())
    told = os.environ.get("OMP_NUM_THREADS", "")
    return int(told) if told.isdigit() and int(told) else _num_cores()


def _num_cores() -> int:
    """Cores, not threads of cores, as torch counts; a container or `taskset` may leave us few of them."""
    if sys.platform != "linux":
        return os.cpu_count() or 1
    ours = os.sched_getaffinity(0)
    siblings = [Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list") for cpu in ours]
    try:
        return len({path.read_text() for path in siblings})
    except OSError:
        return len(ours)
