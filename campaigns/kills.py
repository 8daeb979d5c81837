"""The extractor is killed at random moments and started again: the store is the undisturbed one in the end.

    python -m campaigns.kills --count 200

Each extractor is a process of its own, forked from this one so that networks are loaded once, and killed with
SIGKILL; its decoding processes have to notice by themselves. Every other kill comes at a random moment, the
others as soon as a record is half written. Extractors go on with the same store until that is whole, which is
compared, and then a new one is begun.
"""

import os
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from aqa_pipeline.records import Video
from aqa_pipeline.store import Store
from campaigns.campaign import Seen, run_campaign
from campaigns.processes import children_of, ends
from campaigns.samples import differences, half_records, write_videos
from extract.choices.streams import Choices, build_streams
from extract.run.extraction import Extraction
from extract.run.stage import extract
from extract.streams import Stream

NUM_VIDEOS = 6
LOOK_AGAIN_SECONDS = 0.0002  # a record is half written for some milliseconds
END_SECONDS = 20.0  # within which decoding processes must notice that their parent is dead


@dataclass
class Tally:
    """What was seen so far."""

    kills: int = 0
    runs: int = 0
    parts: int = 0
    compared: int = 0
    orphans: int = 0
    problems: list[str] = field(default_factory=list)


def main() -> None:
    run_campaign("kills", "{count} SIGKILLs of the extractor", measure, count=200, description=__doc__)


def measure(count: int, scratch: Path) -> Seen:
    """Stores that differ from the undisturbed one, and records that are half there after a kill."""
    torch.set_num_threads(1)  # torch's threads do not survive a fork
    write_videos(scratch / "data", num_videos=NUM_VIDEOS)
    videos = [Video(path.stem, path) for path in sorted((scratch / "data" / "videos").iterdir())]
    choices = Choices(backbones={"": "resnet18"}, weights={"": "random:0"})
    streams = build_streams(["frames"], choices)
    start = time.monotonic()
    assert os.waitpid(started(scratch / "undisturbed", streams, videos), 0)[1] == 0
    seconds, rng, seen = time.monotonic() - start, np.random.default_rng(0), Tally()
    while seen.kills < count:
        store = scratch / f"round-{seen.compared}"
        until_whole(store, streams, videos, seen, seconds=seconds, rng=rng, most=count)
        unlike = differences(Store(scratch / "undisturbed"), Store(store)) + half_records(store)
        seen.problems += [f"{store.name}: {what}" for what in unlike]
        seen.compared += 1
    return Seen(
        what=f"{seen.compared} stores resumed until whole: {len(seen.problems)} differences from an"
        " undisturbed one, array by array, or half records;"
        f" {seen.orphans} decoders outlived their extractor",
        kept=not seen.problems and not seen.orphans,
        counts={
            "kills": seen.kills,
            "extractors started": seen.runs,
            "kills in the middle of a write": seen.parts,
            "stores compared": seen.compared,
            "problems": len(seen.problems),
            "decoders left behind": seen.orphans,
        },
        details={"problems": seen.problems[:20], "seconds of an undisturbed run": round(seconds, 2)},
    )


def until_whole(
    store: Path,
    streams: list[Stream],
    videos: list[Video],
    seen: Tally,
    *,
    seconds: float,
    rng: np.random.Generator,
    most: int,
) -> None:
    """Starts extractors on the store, and kills them, until one comes to its end."""
    while True:
        pid = started(store, streams, videos)
        seen.runs += 1
        if seen.kills < most:
            if seen.kills % 2:
                wait_for_a_write(store, pid)
            else:
                time.sleep(rng.uniform(0.0, 1.2 * seconds))
            decoders = children_of(pid)
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        if not os.WIFSIGNALED(status):
            assert os.WEXITSTATUS(status) == 0, "the extractor failed by itself"
            return
        seen.kills += 1
        seen.orphans += sum(not ends(decoder, within_seconds=END_SECONDS) for decoder in decoders)
        seen.parts += bool(list(store.glob("**/.*.part")))
        damaged = [problem for _, problem in Store(store).verify() if problem] if store.exists() else []
        seen.problems += [str(each) for each in damaged if not each.path.name.endswith(".part")]


def wait_for_a_write(store: Path, pid: int) -> None:
    """Until it has a record half written, or has come to its end."""
    while not list(store.glob(f"**/.*@{pid}.part")) and not ends(pid, within_seconds=0.0):
        time.sleep(LOOK_AGAIN_SECONDS)


def started(store: Path, streams: list[Stream], videos: list[Video]) -> int:
    """The process of a new extractor."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    try:
        report = extract(Extraction("campaign", Store(store), streams), videos, progress=lambda **_: None)
        os._exit(len(report.failures))
    except BaseException as error:
        os.write(2, f"{error!r}\n".encode())
        os._exit(99)


if __name__ == "__main__":
    main()
