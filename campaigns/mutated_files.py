"""Mutated files from outside: a clear error each, no traceback for the user, no code of theirs run.

    python -m campaigns.mutated_files --count 2000 --out build/campaigns

Files of every kind (`campaigns.doors`) are mutated (`campaigns.mutations`) and opened as a user opens them,
by one of our commands in a worker process whose memory is limited. A worker that dies or hangs is a finding,
and is replaced. Mutation number k is the same whenever it is made: `--only K` does it again and shows all.
"""

import contextlib
import multiprocessing
import os
import random
import resource
import shutil
import sys
import tempfile
import traceback
from collections import Counter
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from campaigns.campaign import Seen, run_campaign
from campaigns.doors import CANARY, DOORS
from campaigns.mutations import mutate

SECONDS_PER_FILE = 60.0
MEMORY_BYTES = 4 << 30  # above what the worker has once everything is imported
FINE = ("opened", "opened in part", "refused")


@dataclass(frozen=True)
class Outcome:
    """What happened to one mutated file.

    `opened`: nothing is wrong with it for us. `opened in part`: what is wrong is named, the rest is used.
    `refused`: a clear error. Any other verdict is one of the things that must not happen.
    """

    number: int
    door: str
    mutation: str
    verdict: str
    text: str


def main() -> None:
    if "--only" in sys.argv:
        with tempfile.TemporaryDirectory() as scratch:
            print(_tried(int(sys.argv[sys.argv.index("--only") + 1]), Path(scratch)))
        return
    run_campaign(
        "mutated_files",
        "{count} mutated annotation, checkpoint, npy, HDF5, CSV, mat and xls files, and runs",
        measure,
        count=2000,
        description=__doc__,
    )


def measure(count: int, scratch: Path) -> Seen:
    """How many files were opened or refused with a clear error, and all others."""
    with _worker(scratch) as worker:
        outcomes = [worker.tried(number) for number in range(count)]
    verdicts = Counter(outcome.verdict for outcome in outcomes)
    bad = [outcome for outcome in outcomes if outcome.verdict not in FINE]
    by_door = {
        door: dict(Counter(outcome.verdict for outcome in outcomes if outcome.door == door)) for door in DOORS
    }
    return Seen(
        what=f"{verdicts['refused']:,} refused with a clear error, {verdicts['opened in part']:,} opened in "
        f"part with what is wrong named, {verdicts['opened']:,} sound enough for us; {len(bad)} tracebacks, "
        f"crashes, hangs or unclear errors; {verdicts['code run']} ran code",
        kept=not bad,
        counts={"files": count, **dict(sorted(verdicts.items())), "MB most": round(worker.peak_bytes / 1e6)},
        details={
            "by door": by_door,
            "bad": [f"{o.number} {o.door}, {o.mutation}: {o.verdict}: {o.text[-600:]}" for o in bad][:50],
        },
    )


class Worker:
    """A process that tries one file after another, replaced where one kills it."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self.peak_bytes = 0
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, there = context.Pipe()
        folder = Path(tempfile.mkdtemp(dir=self._scratch))
        self._process: Any = context.Process(target=_serve, args=(there, folder))
        self._process.start()
        there.close()
        self._pipe.recv()  # it is up

    def tried(self, number: int) -> Outcome:
        """What that mutated file did."""
        door = _door(number)
        try:
            self._pipe.send(number)
            if not self._pipe.poll(SECONDS_PER_FILE):
                self._process.kill()
                raise EOFError("hang")
            outcome, peak_bytes = self._pipe.recv()
        except (EOFError, OSError) as error:
            self._process.join()
            verdict = "hang" if str(error) == "hang" else "crash"
            outcome, peak_bytes = Outcome(number, door, "", verdict, f"exit {self._process.exitcode}"), 0
            self._start()
        self.peak_bytes = max(self.peak_bytes, peak_bytes)
        return outcome

    def stop(self) -> None:
        self._pipe.close()
        self._process.join()


@contextlib.contextmanager
def _worker(scratch: Path) -> Any:
    worker = Worker(scratch)
    try:
        yield worker
    finally:
        worker.stop()


def _serve(orders: Connection, scratch: Path) -> None:
    os.chdir(scratch)
    with contextlib.suppress(EOFError):
        orders.send("up")
        _limit_memory()
        while True:
            outcome = _tried(orders.recv(), scratch)
            orders.send((outcome, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))


def _limit_memory() -> None:
    """Files that claim much must be refused, not believed: whoever believes gets no memory here."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_BYTES, used + MEMORY_BYTES))


def _tried(number: int, scratch: Path) -> Outcome:
    """Spoils one file of a fresh sample and opens it."""
    canary = Path(os.environ.setdefault(CANARY, str(scratch / "canary")))
    name, rng = _door(number), random.Random(number)
    folder = _fresh_sample(name, scratch)
    paths = _files_to_spoil(name, scratch)
    path = folder / rng.choice(paths)
    mutation, content = mutate(path.read_bytes(), rng)
    path.write_bytes(content)
    try:
        code, text = DOORS[name].enter(folder)
        verdict = _judged(code, text, folder=folder)
    except BaseException:  # whatever it is, a user would see it
        verdict, text = "traceback", traceback.format_exc()
    if canary.exists():
        canary.unlink()
        verdict = "code run"
    return Outcome(number, name, f"{path.name} {mutation}", verdict, text)


def _judged(code: int, text: str, *, folder: Path) -> str:
    if "Traceback" in text:
        return "traceback"
    if str(folder) not in text and code:
        return "unclear"  # a clear error says where the trouble is
    return {0: "opened", 1: "refused", 3: "opened in part"}.get(code, "unclear")


def _door(number: int) -> str:
    return list(DOORS)[number % len(DOORS)]


def _fresh_sample(name: str, scratch: Path) -> Path:
    """A copy of the sound sample, always in the same place: some files name their folder."""
    folder = scratch / "sample"
    shutil.rmtree(folder, ignore_errors=True)
    _files_to_spoil(name, scratch)
    shutil.copytree(scratch / "samples" / name.replace(" ", "-"), folder)
    return folder


def _files_to_spoil(name: str, scratch: Path) -> list[str]:
    """The files of the sample that are mutated, relative to it; the sample is made once."""
    kept, listing = scratch / "samples" / name.replace(" ", "-"), scratch / f"{name.replace(' ', '-')}.files"
    if not listing.exists():
        made = scratch / "sample"
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
        paths = [path.relative_to(made).as_posix() for path in DOORS[name].prepare(made)]
        kept.parent.mkdir(exist_ok=True)
        shutil.move(made, kept)
        listing.write_text("\n".join(paths))
    return listing.read_text().splitlines()


if __name__ == "__main__":
    main()
