"""Kill Ray workers with SIGKILL at random moments: the store must equal one of an undisturbed run.

    python -m campaigns.ray_kills --count 20 --out build/campaigns

A cluster of two nodes is started on this machine. `aqa extract` runs on it while its workers are killed every
few seconds, both while they start and while they work. Each round begins with an empty store, until the count
is reached. A run that gave up is repeated, as a user would repeat it.
"""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from aqa_pipeline.cluster.connection import OBJECT_STORE_BYTES, import_ray
from aqa_pipeline.store import Store
from campaigns.inputs.samples import differences, extract_crops, half_records, write_videos
from campaigns.results.campaign import CampaignResult, run_campaign

NUM_NODES, NUM_WORKERS = 2, 2
FEWEST_VIDEOS, MOST_VIDEOS = 12, 40  # two videos per kill, within these bounds
PAUSE_SECONDS = 2.0  # the mean time between two kills
LIFE_SECONDS = 3.0  # the longest time that a worker lives after it was chosen
MAX_RUNS = 20  # per round


def main() -> None:
    """Run the campaign."""
    run_campaign(
        "ray_kills",
        "{count} kills of Ray workers on a local cluster of two nodes",
        measure,
        count=20,
        description=__doc__,
    )


def measure(count: int, scratch: Path) -> CampaignResult:
    """Run rounds until `count` workers were killed. Count the stores that differ from the undisturbed one."""
    import torch

    torch.set_num_threads(1)  # as each worker has: sums in another order differ in their last bits
    root, alone = scratch / "videos", scratch / "alone"
    write_videos(root, num_videos=min(max(FEWEST_VIDEOS, 2 * count), MOST_VIDEOS))
    code, text = extract_crops(root, alone)
    assert code == 0, text
    problems: list[str] = []
    rounds = unequal = repeated = 0
    with local_cluster() as (address, raylets), Killer(raylets, count) as killer:
        while not killer.is_done:
            store = scratch / f"round-{rounds}"
            runs, errors = extract_until_done(root, store, address)
            found = errors + half_records(store) + differences(Store(alone), Store(store))
            problems += [f"round {rounds}: {text}" for text in found]
            rounds, unequal, repeated = rounds + 1, unequal + bool(found), repeated + runs - 1
    left_behind = killer.decoders_left_behind()
    counts: dict[str, int | float | str] = {
        "workers killed": sum(killer.killed.values()),
        **{f"  while they {verb}": number for verb, number in sorted(killer.killed.items())},
        "rounds": rounds,
        "runs repeated": repeated,
        "equal": rounds - unequal,
        "unequal": unequal,
        "decoders left behind": len(left_behind),
    }
    return CampaignResult(
        summary=f"{rounds - unequal} of {rounds} stores equal to an undisturbed one array by array, "
        f"{len(left_behind)} decoders left behind",
        kept=not unequal and not left_behind,
        counts=counts,
        details={"problems": problems[:20]},
    )


def extract_until_done(root: Path, store: Path, address: str) -> tuple[int, list[str]]:
    """Return how many runs it took to store every video, and what went wrong if none did."""
    engine = ("--engine", "ray", "--ray-address", address, "--actors", NUM_WORKERS)
    for number in range(1, MAX_RUNS + 1):
        code, text = extract_crops(root, store, *engine)
        if code == 0:
            return number, []
    return MAX_RUNS, [f"not done after {MAX_RUNS} runs: {text}"]


@contextmanager
def local_cluster() -> Iterator[tuple[str, list[int]]]:
    """Yield the address of a cluster on this machine, and the parent processes of its workers."""
    import_ray()
    from ray.cluster_utils import Cluster

    cluster = Cluster()
    try:
        nodes = [
            cluster.add_node(num_cpus=2, object_store_memory=OBJECT_STORE_BYTES, include_dashboard=False)
            for _ in range(NUM_NODES)
        ]
        yield cluster.address, [node.all_processes["raylet"][0].process.pid for node in nodes]
    finally:
        cluster.shutdown()


class Killer:
    """A thread that kills workers at random times, until it has killed `count`."""

    def __init__(self, raylets: list[int], count: int) -> None:
        self._raylets, self._count = raylets, count
        self._random = random.Random(0)
        self._over = threading.Event()
        self._decoders: set[int] = set()
        self._thread = threading.Thread(target=self._work)
        self.killed: Counter[str] = Counter()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def is_done(self) -> bool:
        """True if `count` workers were killed."""
        return sum(self.killed.values()) >= self._count

    def decoders_left_behind(self) -> list[int]:
        """Return the decoding processes of killed workers that still live after a second."""
        time.sleep(1.0)  # the kernel ends them a moment after their parent
        return [pid for pid in self._decoders if _state(pid) not in ("", "Z")]

    def _work(self) -> None:
        while not self.is_done and not self._over.wait(self._random.expovariate(1 / PAUSE_SECONDS)):
            pid = self._wait_for(self._random.choice(["start", "work"]))
            if pid is None or self._over.wait(self._random.uniform(0, LIFE_SECONDS)):
                return
            if title := _title(pid):
                self._decoders.update(_children([pid]))
                os.kill(pid, signal.SIGKILL)
                self.killed[title.removeprefix("ray::Host").removeprefix(".") or "wait"] += 1

    def _wait_for(self, phase: str) -> int | None:
        """Wait for a worker in that phase, and return its id; None once the killer was stopped."""
        while not self._over.wait(0.05):
            pids = [pid for pid in _children(self._raylets) if _title(pid).endswith(f".{phase}")]
            if pids:
                return self._random.choice(pids)
        return None


def _title(pid: int) -> str:
    """Return Ray's name of a worker's phase, `ray::Host.start` or `ray::Host.work`; "" for others."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().rstrip("\0 ")
    except OSError:
        return ""
    return words if words.startswith("ray::Host") else ""


def _children(parents: list[int]) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        facts = _stat(int(process.name))
        if facts and int(facts[1]) in parents:
            found.append(int(process.name))
    return found


def _state(pid: int) -> str:
    return next(iter(_stat(pid)), "")


def _stat(pid: int) -> list[str]:
    """Return state, parent and the further fields of a process; [] if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


if __name__ == "__main__":
    main()
