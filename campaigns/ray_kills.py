"""SIGKILL of Ray workers at random moments: the store must be the one that an undisturbed run writes.

    python -m campaigns.ray_kills --count 20 --out build/campaigns

A cluster of two nodes is started on this machine, and a run through the front door extracts on it while its
workers are killed every few seconds, while they start and while they work. Rounds follow each other on
empty stores until the count is reached. A run that gave up is repeated as its user would repeat it.
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
from campaigns.campaign import Seen, run_campaign
from campaigns.samples import differences, extract_crops, half_records, write_videos

NUM_NODES, NUM_WORKERS = 2, 2
FEWEST_VIDEOS, MOST_VIDEOS = 12, 40  # two for each kill
PAUSE_SECONDS, LIFE_SECONDS = (
    2.0,
    3.0,
)  # on average between kills; at most in the phase that a kill is meant for
MAX_RUNS = 20  # of one round


def main() -> None:
    run_campaign(
        "ray_kills",
        "{count} kills of Ray workers on a local cluster of two nodes",
        measure,
        count=20,
        description=__doc__,
    )


def measure(count: int, scratch: Path) -> Seen:
    """Rounds until so many workers were killed, and how many stores differ from the undisturbed one."""
    import torch

    torch.set_num_threads(1)  # as each worker has; sums in another order differ in their last bits
    root, alone = scratch / "videos", scratch / "alone"
    write_videos(root, num_videos=min(max(FEWEST_VIDEOS, 2 * count), MOST_VIDEOS))
    code, text = extract_crops(root, alone)
    assert code == 0, text
    problems: list[str] = []
    rounds = unequal = repeated = 0
    with local_cluster() as (address, raylets), Killer(raylets, count) as killer:
        while not killer.is_done:
            store = scratch / f"round-{rounds}"
            runs, told = extract_until_done(root, store, address)
            found = told + half_records(store) + differences(Store(alone), Store(store))
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
    return Seen(
        what=f"{rounds - unequal} of {rounds} stores equal to an undisturbed one array by array, "
        f"{len(left_behind)} decoders left behind",
        kept=not unequal and not left_behind,
        counts=counts,
        details={"problems": problems[:20]},
    )


def extract_until_done(root: Path, store: Path, address: str) -> tuple[int, list[str]]:
    """How many runs it took until every video was stored, and what went wrong if that never was."""
    for number in range(1, MAX_RUNS + 1):
        code, text = extract_crops(
            root, store, "--engine", "ray", "--ray-address", address, "--actors", NUM_WORKERS
        )
        if code == 0:
            return number, []
    return MAX_RUNS, [f"not done after {MAX_RUNS} runs: {text}"]


@contextmanager
def local_cluster() -> Iterator[tuple[str, list[int]]]:
    """The address of a cluster on this machine, and the processes under which its workers run."""
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
    """A thread that kills a worker now and then, until it has killed `count`."""

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
        return sum(self.killed.values()) >= self._count

    def decoders_left_behind(self) -> list[int]:
        """Decoding processes of killed workers that live on; the kernel ends them a moment after."""
        time.sleep(1.0)
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
        """A worker that starts or works, as soon as there is one: a loaded machine starts them slowly."""
        while not self._over.wait(0.05):
            pids = [pid for pid in _children(self._raylets) if _title(pid).endswith(f".{phase}")]
            if pids:
                return self._random.choice(pids)
        return None


def _title(pid: int) -> str:
    """What Ray calls that process, if it is one of our workers: `ray::Host.start`, `ray::Host.work`."""
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
    """State, parent and further facts of a process; none if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


if __name__ == "__main__":
    main()
