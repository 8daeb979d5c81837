"""Fill the disk at random points: the message must be clear, nothing damaged, and the command resumable.

    python -m campaigns.full_disk --count 50 --out build/campaigns

As root, the store lies on a small tmpfs that is filled up to a random number of free bytes. Otherwise the
limit is on the size of files (RLIMIT_FSIZE), which refuses some records and lets others pass.
"""

import contextlib
import os
import random
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from aqa_pipeline.store import Store
from campaigns.inputs.samples import aqa, differences, extract_crops, half_records, write_videos
from campaigns.results.campaign import CampaignResult, run_campaign

DISK_BYTES = 4 << 20
MOST_POINTS = 10  # tries per full disk: at some points there is enough room
REASONS = ("No space left on device", "File too large")
ADVICE = "run the same command again"

Limit = Callable[[int], AbstractContextManager[None]]


def main() -> None:
    """Run the campaign."""
    run_campaign("full_disk", "{count} full disks at random points", measure, count=50, description=__doc__)


def measure(count: int, scratch: Path) -> CampaignResult:
    """Count the points with damage, a bad message, or a store that could not be resumed.

    Points are tried until the disk was too small `count` times: at some points there is enough room.
    """
    root, alone = scratch / "videos", scratch / "alone"
    write_videos(root)
    code, text = extract_crops(root, alone)
    assert code == 0, text
    sizes = [path.stat().st_size for path in alone.rglob("*.h5")]
    rng, problems, num_points, num_refused = random.Random(0), [], 0, 0
    with small_disk(scratch / "disk") as (kind, disk, limit):
        most = sum(sizes) + 8192 * len(sizes) if kind == "tmpfs" else max(sizes)
        while num_refused < count and num_points < MOST_POINTS * count:
            refused, found = _one_point(root, Store(alone), disk / "store", limit(rng.randrange(most)))
            problems += [f"point {num_points}: {text}" for text in found]
            num_points, num_refused = num_points + 1, num_refused + refused
            shutil.rmtree(disk / "store", ignore_errors=True)
    broken = len({text.split(":")[0] for text in problems})
    return CampaignResult(
        summary=f"{num_refused} clear refusals at {num_points} points, {broken} with damage, a bad message "
        f"or no way to complete the store ({kind})",
        kept=not problems and num_refused == count,
        counts={"points": num_points, "refused": num_refused, "not kept": broken, "disk": kind},
        details={"problems": problems[:20]},
    )


def _one_point(
    root: Path, alone: Store, store: Path, full: AbstractContextManager[None]
) -> tuple[bool, list[str]]:
    """Return whether the disk was too small, and what was wrong then or after resuming."""
    with full:
        code, text = extract_crops(root, store)
        packed_code, packed_text = aqa("store", "pack", alone.root, "--out", store.parent / "packed.h5")
    (store.parent / "packed.h5").unlink(missing_ok=True)
    found = []
    if code and not (any(reason in text for reason in REASONS) and ADVICE in text):
        found.append(f"the message of extract: {text}")
    if packed_code and not any(reason in packed_text for reason in REASONS):
        found.append(f"the message of pack: {packed_text}")
    found += [f"after refusal: {text}" for text in half_records(store)]
    found += [f"left behind: {path}" for path in store.parent.glob(".*.part")]
    again, text = extract_crops(root, store)
    found += [f"resuming: {text}"] if again else []
    return bool(code), found + differences(alone, Store(store))


@contextlib.contextmanager
def small_disk(folder: Path, num_bytes: int = DISK_BYTES) -> Iterator[tuple[str, Path, Limit]]:
    """Yield a small disk: its kind of limit, its folder, and a function that leaves so many bytes free."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={num_bytes}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        yield "RLIMIT_FSIZE", folder, _small_files
        return
    try:
        yield "tmpfs", folder, lambda free: _little_room(folder, free)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextlib.contextmanager
def _little_room(disk: Path, free: int) -> Iterator[None]:
    ballast = disk / "ballast"
    space = os.statvfs(disk)
    ballast.write_bytes(bytes(max(0, space.f_bavail * space.f_frsize - free)))
    try:
        yield
    finally:
        ballast.unlink()


@contextlib.contextmanager
def _small_files(size: int) -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


if __name__ == "__main__":
    main()
