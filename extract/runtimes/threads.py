"""Count the threads for a network's products. Importing this imports no torch."""

import os
import sys
from pathlib import Path


def num_threads() -> int:
    """Return torch's thread count if torch is imported; else OMP_NUM_THREADS; else the usable cores."""
    if torch := sys.modules.get("torch"):
        return int(torch.get_num_threads())
    named = os.environ.get("OMP_NUM_THREADS", "")
    return int(named) if named.isdigit() and int(named) else _num_cores()


def _num_cores() -> int:
    """Return the number of usable physical cores, as torch counts; `taskset` or a container limits them."""
    if sys.platform != "linux":
        return os.cpu_count() or 1
    ours = os.sched_getaffinity(0)
    siblings = [Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list") for cpu in ours]
    try:
        return len({path.read_text() for path in siblings})
    except OSError:
        return len(ours)
