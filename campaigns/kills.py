"""Kill the extractor at random moments and restart it: the store must equal an undisturbed one at the end.

    python -m campaigns.kills --count 200

Each extractor is a separate process, forked from this one so that networks are loaded once. It is killed with
SIGKILL, and its decoding processes must end by themselves. Half of the kills come at a random moment, the
others as soon as a record is half written. Extractors resume the same store until it is whole. The store is
then compared, and a new one is begun.
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
from campaigns.inputs.samples import differences, half_records, write_videos
from campaigns.processes.proc_files import children_of, ends
from campaigns.results.campaign import CampaignResult, run_campaign
from extract.choices.options import NetworkOptions, StreamOptions
from extract.choices.streams import build_streams
from extract.run.extraction import Extraction
from extract.run.stage import extract
from extract.streams import Stream

NUM_VIDEOS = 6
LOOK_AGAIN_SECONDS = 0.0002  # a record is half written for some milliseconds
END_SECONDS = 20.0  # within this time decoding processes must end after their parent's death


@dataclass
class Tally:
    """The counts so far."""

    kills: int = 0
    runs: int = 0
    parts: int = 0
    compared: int = 0
    orphans: int = 0
    problems: list[str] = field(default_factory=list)


def main() -> None:
    """Run the campaign."""
    run_campaign("kills", "{count} SIGKILLs of the extractor", measure, count=200, description=__doc__)


def measure(count: int, scratch: Path) -> CampaignResult:
    """Count the differences from the undisturbed store, and records that are half written after a kill."""
    torch.set_num_threads(1)  # torch's threads do not survive a fork
    write_videos(scratch / "data", num_videos=NUM_VIDEOS)
    videos = [Video(path.stem, path) for path in sorted((scratch / "data" / "videos").iterdir())]
    networks = NetworkOptions(backbones={"": "resnet18"}, weights={"": "random:0"})
    streams = build_streams(["frames"], StreamOptions(networks=networks))
    start = time.monotonic()
    assert os.waitpid(started(scratch / "undisturbed", streams, videos), 0)[1] == 0
    seconds, rng, tally = time.monotonic() - start, np.random.default_rng(0), Tally()
    while tally.kills < count:
        store = scratch / f"round-{tally.compared}"
        until_whole(store, streams, videos, tally, seconds=seconds, rng=rng, most=count)
        unlike = differences(Store(scratch / "undisturbed"), Store(store)) + half_records(store)
        tally.problems += [f"{store.name}: {what}" for what in unlike]
        tally.compared += 1
    return CampaignResult(
        summary=f"{tally.compared} stores resumed until whole: {len(tally.problems)} differences from an"
        " undisturbed one, array by array, or half records;"
        f" {tally.orphans} decoders outlived their extractor",
        kept=not tally.problems and not tally.orphans,
        counts={
            "kills": tally.kills,
            "extractors started": tally.runs,
            "kills in the middle of a write": tally.parts,
            "stores compared": tally.compared,
            "problems": len(tally.problems),
            "decoders left behind": tally.orphans,
        },
        details={"problems": tally.problems[:20], "seconds of an undisturbed run": round(seconds, 2)},
    )


def until_whole(
    store: Path,
    streams: list[Stream],
    videos: list[Video],
    tally: Tally,
    *,
    seconds: float,
    rng: np.random.Generator,
    most: int,
) -> None:
    """Start extractors on the store and kill them, until one reaches its end."""
    while True:
        pid = started(store, streams, videos)
        tally.runs += 1
        if tally.kills < most:
            if tally.kills % 2:
                wait_for_a_write(store, pid)
            else:
                time.sleep(rng.uniform(0.0, 1.2 * seconds))
            decoders = children_of(pid)
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        if not os.WIFSIGNALED(status):
            assert os.WEXITSTATUS(status) == 0, "the extractor failed by itself"
            return
        tally.kills += 1
        tally.orphans += sum(not ends(decoder, within_seconds=END_SECONDS) for decoder in decoders)
        tally.parts += bool(list(store.glob("**/.*.part")))
        damaged = [problem for _, problem in Store(store).verify() if problem] if store.exists() else []
        tally.problems += [str(each) for each in damaged if not each.path.name.endswith(".part")]


def wait_for_a_write(store: Path, pid: int) -> None:
    """Wait until the process `pid` has a file half written, or has ended."""
    while not list(store.glob(f"**/.*@{pid}.part")) and not ends(pid, within_seconds=0.0):
        time.sleep(LOOK_AGAIN_SECONDS)


def started(store: Path, streams: list[Stream], videos: list[Video]) -> int:
    """Start an extractor in a forked process, and return its id."""
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
