"""Run four extractors at once on one store: the store must equal one that a single extractor writes.

    python -m campaigns.concurrent --count 50 --out build/campaigns

The extractors are separate processes. In each round they start together on an empty store, so that they make
the same records at the same time and replace each other's.
"""

import multiprocessing
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from aqa_pipeline.store import Store
from campaigns.inputs.samples import differences, extract_crops, half_records, write_videos
from campaigns.results.campaign import CampaignResult, run_campaign

NUM_EXTRACTORS = 4
IMPORTED = [
    "extract.choices.streams",
    "extract.commands.extract",
    "extract.preview.contact_sheet",
    "extract.run",
]


def main() -> None:
    """Run the campaign."""
    run_campaign(
        "concurrent",
        "{count} rounds of four extractors at once on one store",
        measure,
        count=50,
        description=__doc__,
    )


def measure(count: int, scratch: Path) -> CampaignResult:
    """Count the rounds whose store differs from the undisturbed one or holds half a record."""
    root, alone = scratch / "videos", scratch / "alone"
    write_videos(root)
    code, text = extract_crops(root, alone)
    assert code == 0, text
    problems: list[str] = []
    unequal = 0
    with Extractors(NUM_EXTRACTORS) as extractors:
        for number in range(count):
            store = scratch / f"round-{number}"
            answers = extractors.extract(root, store)
            found = [text for code, text in answers if code] + half_records(store)
            found += differences(Store(alone), Store(store))
            unequal += bool(found)
            problems += [f"round {number}: {text}" for text in found]
    return CampaignResult(
        summary=f"{count - unequal} stores equal to an undisturbed one array by array, {unequal} not",
        kept=not unequal,
        counts={"rounds": count, "extractors": NUM_EXTRACTORS, "equal": count - unequal, "unequal": unequal},
        details={"problems": problems[:20]},
    )


class Extractors:
    """Processes that serve all rounds, forked from one with all imports, which take longer than a round."""

    def __init__(self, number: int) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(IMPORTED)
        self._pipes = []
        self._processes = []
        self._gate = context.Barrier(number)  # kept alive: children look it up by name when they start
        for _ in range(number):
            here, there = context.Pipe()
            process = context.Process(target=_extractor, args=(there, self._gate))
            process.start()
            self._pipes.append(here)
            self._processes.append(process)

    def __enter__(self) -> "Extractors":
        return self

    def __exit__(self, *_: object) -> None:
        for pipe, process in zip(self._pipes, self._processes, strict=True):
            pipe.send(None)
            process.join()

    def extract(self, root: Path, store: Path) -> list[tuple[int, str]]:
        """Run all extractors at once on that store. Return the exit code and text of each."""
        for pipe in self._pipes:
            pipe.send((root, store))
        return [pipe.recv() for pipe in self._pipes]


def _extractor(orders: Connection, gate: Any) -> None:
    while (order := orders.recv()) is not None:
        gate.wait()
        try:
            orders.send(extract_crops(*order))
        except Exception:
            orders.send((1, traceback.format_exc()))


if __name__ == "__main__":
    main()
