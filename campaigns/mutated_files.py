"""Open mutated files: each must give a clear error, never a traceback, and must never run its code.

    python -m campaigns.mutated_files --count 2000 --out build/campaigns

Files of every kind (`campaigns.inputs.file_kinds`) are mutated (`campaigns.inputs.mutations`) and opened as a
user opens them, by an `aqa` command in a worker process with limited memory. A worker that dies or hangs is
counted as a problem, and is replaced. Mutation number K is the same in every run: `--only K` repeats it and
prints all.
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

from campaigns.inputs.file_kinds import FILE_KINDS
from campaigns.inputs.file_samples import CANARY
from campaigns.inputs.mutations import mutate
from campaigns.results.campaign import CampaignResult, run_campaign

SECONDS_PER_FILE = 60.0
MEMORY_BYTES = 4 << 30  # more than the worker uses after its imports
FINE = ("opened", "opened in part", "refused")


@dataclass(frozen=True)
class Outcome:
    """What happened to one mutated file.

    The verdict `opened` means that the command found nothing wrong. `opened in part` means that it named what
    is wrong and used the rest. `refused` means a clear error. No other verdict may happen.
    """

    number: int
    kind: str
    mutation: str
    verdict: str
    text: str


def main() -> None:
    """Run the campaign."""
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


def measure(count: int, scratch: Path) -> CampaignResult:
    """Count the files that were opened or refused with a clear error, and all others."""
    with _worker(scratch) as worker:
        outcomes = [worker.tried(number) for number in range(count)]
    verdicts = Counter(outcome.verdict for outcome in outcomes)
    bad = [outcome for outcome in outcomes if outcome.verdict not in FINE]
    by_kind = {
        kind: dict(Counter(outcome.verdict for outcome in outcomes if outcome.kind == kind))
        for kind in FILE_KINDS
    }
    return CampaignResult(
        summary=f"{verdicts['refused']:,} refused with a clear error, {verdicts['opened in part']:,} opened "
        f"in part with what is wrong named, {verdicts['opened']:,} sound enough; {len(bad)} tracebacks, "
        f"crashes, hangs or unclear errors; {verdicts['code run']} ran code",
        kept=not bad,
        counts={"files": count, **dict(sorted(verdicts.items())), "MB most": round(worker.peak_bytes / 1e6)},
        details={
            "by kind": by_kind,
            "bad": [f"{o.number} {o.kind}, {o.mutation}: {o.verdict}: {o.text[-600:]}" for o in bad][:50],
        },
    )


class Worker:
    """A process that opens one file after another, and is replaced if a file kills it."""

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
        self._pipe.recv()  # the process is ready

    def tried(self, number: int) -> Outcome:
        """Return what happened to the mutated file of that number."""
        kind = _kind_of(number)
        try:
            self._pipe.send(number)
            if not self._pipe.poll(SECONDS_PER_FILE):
                self._process.kill()
                raise EOFError("hang")
            outcome, peak_bytes = self._pipe.recv()
        except (EOFError, OSError) as error:
            self._process.join()
            verdict = "hang" if str(error) == "hang" else "crash"
            outcome, peak_bytes = Outcome(number, kind, "", verdict, f"exit {self._process.exitcode}"), 0
            self._start()
        self.peak_bytes = max(self.peak_bytes, peak_bytes)
        return outcome

    def stop(self) -> None:
        """End the process."""
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
    """Limit the memory, so that a command fails which believes a file's claim of a huge size."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_BYTES, used + MEMORY_BYTES))


def _tried(number: int, scratch: Path) -> Outcome:
    """Mutate one file of a fresh sample, and open it."""
    canary = Path(os.environ.setdefault(CANARY, str(scratch / "canary")))
    name, rng = _kind_of(number), random.Random(number)
    folder = _fresh_sample(name, scratch)
    paths = _files_to_spoil(name, scratch)
    path = folder / rng.choice(paths)
    mutation, content = mutate(path.read_bytes(), rng)
    path.write_bytes(content)
    try:
        code, text = FILE_KINDS[name].open(folder)
        verdict = _verdict_on(code, text, folder=folder)
    except BaseException:  # a user would see this traceback
        verdict, text = "traceback", traceback.format_exc()
    if canary.exists():
        canary.unlink()
        verdict = "code run"
    return Outcome(number, name, f"{path.name} {mutation}", verdict, text)


def _verdict_on(code: int, text: str, *, folder: Path) -> str:
    if "Traceback" in text:
        return "traceback"
    if str(folder) not in text and code:
        return "unclear"  # a clear error says where the trouble is
    return {0: "opened", 1: "refused", 3: "opened in part"}.get(code, "unclear")


def _kind_of(number: int) -> str:
    return list(FILE_KINDS)[number % len(FILE_KINDS)]


def _fresh_sample(name: str, scratch: Path) -> Path:
    """Copy the sound sample, always to the same place, because some files name their folder."""
    folder = scratch / "sample"
    shutil.rmtree(folder, ignore_errors=True)
    _files_to_spoil(name, scratch)
    shutil.copytree(scratch / "samples" / name.replace(" ", "-"), folder)
    return folder


def _files_to_spoil(name: str, scratch: Path) -> list[str]:
    """Return the relative paths of the sample's files that may be mutated. The sample is made once."""
    kept, listing = scratch / "samples" / name.replace(" ", "-"), scratch / f"{name.replace(' ', '-')}.files"
    if not listing.exists():
        made = scratch / "sample"
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
        paths = [path.relative_to(made).as_posix() for path in FILE_KINDS[name].prepare(made)]
        kept.parent.mkdir(exist_ok=True)
        shutil.move(made, kept)
        listing.write_text("\n".join(paths))
    return listing.read_text().splitlines()


if __name__ == "__main__":
    main()
