"""`aqa fit` and `aqa report` are killed, get no room or a rival: resumed, they leave what is left otherwise.

    python -m campaigns.fit_kills --count 100 --out build/campaigns

Each command is a process of its own, forked from this one so that everything is imported once. Every other
SIGKILL comes at a random moment, the others as soon as a file is half written. Whatever lies there afterwards
must be whole, and after the same commands once more every file of the run and of the page must be, byte by
byte, the one of an undisturbed run: none of them says when it was written. As root, run and page lie on a
small tmpfs, whose room ends at a random byte; elsewhere the limit is on the size of files (RLIMIT_FSIZE).
"""

import contextlib
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch

from aqa_pipeline.files import PART
from campaigns.campaign import Seen, run_campaign
from campaigns.full_disk import Limit, small_disk
from campaigns.kills import wait_for_a_write
from campaigns.samples import aqa, extract_crops, write_videos

DISK_BYTES = 32 << 20
NUM_VIDEOS = 8
MOST_TRIES = 20  # of one disturbance: some commands end before they are killed, some find room enough
TOLD_BYTES = 50_000  # a pipe holds more, so that nobody waits for its reader
RIVAL = "another command is writing into"
FULL = ("the disk is full", "the file would be larger than is allowed")

Contents = dict[str, bytes]


def main() -> None:
    run_campaign(
        "fit_kills",
        "{count} disturbances of `aqa fit` and `aqa report`: SIGKILL, full disks, two at once",
        measure,
        count=100,
        description=__doc__,
    )


@dataclass
class Tally:
    """What was seen so far."""

    done: Counter[str] = field(default_factory=Counter)
    in_a_write: int = 0
    rivals_refused: int = 0
    compared: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Place:
    """Where run and page are written, by which commands, and what an undisturbed run leaves there."""

    folder: Path
    data: tuple[object, ...]
    limit: Limit
    whole: Contents = field(default_factory=dict)
    seconds: float = 0.0  # of the longer of the two commands, undisturbed

    def fit(self) -> tuple[object, ...]:
        how = ("--split", "random-0,random-1", "--seeds", "0,1", "--epochs", 3, "--device", "cpu")
        head = ("--head", "wd", "--streams", "crops", "--out", self.folder / "run")
        return ("fit", *head, *self.data, *how)

    def report(self) -> tuple[object, ...]:
        return ("report", self.folder / "run", "--html", self.folder / "page" / "run.html", "--worst", 2)

    def contents(self) -> Contents:
        """Every file by its place."""
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in files}

    def unsound(self) -> list[str]:
        """What lies there and is not whole; parts may lie there until the next command clears them away."""
        there = {name: content for name, content in self.contents().items() if not _is_part(name)}
        unlike = [name for name, content in there.items() if self.whole.get(name) != content]
        cells = {str(Path(name).parent) for name in there if "/seed-" in name}
        lacking = [name for name in self.whole if str(Path(name).parent) in cells and name not in there]
        return [f"{name} is half there, or another" for name in unlike] + [f"{n} is missing" for n in lacking]

    def differences(self) -> list[str]:
        """What there is more, less or other than after an undisturbed run."""
        there = self.contents()
        names = sorted(there.keys() | self.whole.keys())
        return [f"{name} differs" for name in names if there.get(name) != self.whole.get(name)]

    def clear(self, *names: str) -> None:
        """Deletes the run, the page, or both."""
        for name in names or ("run", "page"):
            shutil.rmtree(self.folder / name, ignore_errors=True)


def measure(count: int, scratch: Path) -> Seen:
    """Files half there after a disturbance, or other than those of an undisturbed run in the end."""
    torch.set_num_threads(1)  # torch's threads do not survive a fork
    root, store = scratch / "videos", scratch / "store"
    write_videos(root, num_videos=NUM_VIDEOS)
    code, text = extract_crops(root, store)
    assert code == 0, text
    data = ("--dataset", "folder", "--root", root, "--store", store)
    rng, seen = random.Random(0), Tally()
    with small_disk(scratch / "disk", DISK_BYTES) as (kind, folder, limit):
        place = _undisturbed(Place(folder, data, limit))
        for number in range(count):
            what = DISTURBANCES[number % len(DISTURBANCES)]
            found = what(place, rng, seen) or place.unsound()
            seen.done[what.__name__] += 1
            if what is not fit_killed or rng.random() < 0.5:
                found += _completed(place, seen)
            seen.problems += [f"{number}, {what.__name__}: {text}" for text in found]
        seen.problems += [f"in the end: {text}" for text in _completed(place, seen)]
    return Seen(
        what=f"{seen.compared} runs with their pages completed afterwards: {len(seen.problems)} differences "
        f"from an undisturbed one, byte by byte, half files or bad messages; of two fits at once "
        f"{seen.rivals_refused} of {seen.done['two_fits']} times one was refused, in one line ({kind})",
        kept=not seen.problems,
        counts={
            "disturbances": count,
            **{f"  {what.replace('_', ' ')}": number for what, number in sorted(seen.done.items())},
            "kills in the middle of a write": seen.in_a_write,
            "runs compared": seen.compared,
            "problems": len(seen.problems),
            "disk": kind,
        },
        details={"problems": seen.problems[:20]},
    )


def _undisturbed(place: Place) -> Place:
    """The place with what fit and report leave, twice the same; everything is imported by then."""
    for words in (place.fit(), place.report()):
        code, text = aqa(*words)
        assert code == 0, text
    whole, seconds = place.contents(), []
    place.clear()
    for words in (place.fit(), place.report()):
        start = time.monotonic()
        code, text = Command(words).ended()
        assert code == 0, text
        seconds.append(time.monotonic() - start)
    assert place.contents() == whole, "two undisturbed runs differ"
    place.clear()
    return Place(place.folder, place.data, place.limit, whole, max(seconds))


def _completed(place: Place, seen: Tally) -> list[str]:
    """What is wrong after the same commands once more; then the place is empty again."""
    told = [Command(words).ended() for words in (place.fit(), place.report())]
    found = [text for code, text in told if code] + place.differences()
    seen.compared += 1
    place.clear()
    return found


def _is_part(name: str) -> bool:
    return any(PART.fullmatch(part) for part in Path(name).parts)


class Command:
    """One of our commands in a process of its own."""

    def __init__(self, words: tuple[object, ...]) -> None:
        sys.stdout.flush()
        self._told, there = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            self._work(words, there)
        os.close(there)

    def _work(self, words: tuple[object, ...], pipe: int) -> None:
        try:
            code, text = aqa(*words)
        except BaseException:  # a user would see it
            code, text = 99, traceback.format_exc()
        os.write(pipe, text.encode()[-TOLD_BYTES:])
        os._exit(code)

    def ended(self) -> tuple[int | None, str]:
        """Waits for its end: the exit code (None: it was killed), and all that a user would read."""
        _, status = os.waitpid(self.pid, 0)
        with os.fdopen(self._told, "rb") as told:
            text = told.read().decode(errors="replace")
        return None if os.WIFSIGNALED(status) else os.WEXITSTATUS(status), text

    def killed(self, place: Path, after: float | None) -> tuple[int | None, str]:
        """As `ended`, with a SIGKILL after so many seconds, or as soon as a file is half written."""
        if after is None:
            wait_for_a_write(place, self.pid)
        else:
            time.sleep(after)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        return self.ended()


def fit_killed(place: Place, rng: random.Random, seen: Tally) -> list[str]:
    """Goes on with what earlier kills left."""
    return _killed(place, place.fit(), rng, seen, names=("run", "page"))


def report_killed(place: Place, rng: random.Random, seen: Tally) -> list[str]:
    return _with_a_run(place) or _killed(place, place.report(), rng, seen, names=("page",))


def fit_on_a_full_disk(place: Place, rng: random.Random, seen: Tally) -> list[str]:
    return _without_room(place, place.fit(), rng, seen, names=("run", "page"))


def report_on_a_full_disk(place: Place, rng: random.Random, seen: Tally) -> list[str]:
    return _with_a_run(place) or _without_room(place, place.report(), rng, seen, names=("page",))


def two_fits(place: Place, rng: random.Random, seen: Tally) -> list[str]:
    """Both from nothing; one of them may be refused."""
    place.clear()
    told = _two(place.fit(), rng)
    refused = [text for code, text in told if code == 1 and RIVAL in text and _is_one_line(text)]
    seen.rivals_refused += len(refused)
    done = [code for code, _ in told if code == 0]
    return [] if done and len(done) + len(refused) == 2 else [f"{code}: {text}" for code, text in told]


def two_reports(place: Place, rng: random.Random, seen: Tally) -> list[str]:
    found = _with_a_run(place)
    return found + [f"{code}: {text}" for code, text in _two(place.report(), rng) if code != 0]


Disturbance = Callable[[Place, random.Random, Tally], list[str]]
DISTURBANCES: tuple[Disturbance, ...] = (
    fit_killed,
    report_killed,
    fit_on_a_full_disk,
    two_fits,
    fit_killed,
    report_on_a_full_disk,
    two_reports,
    fit_killed,
)


def _with_a_run(place: Place) -> list[str]:
    """What goes wrong where a report needs a run first."""
    code, text = Command(place.fit()).ended()
    return [] if code == 0 else [f"{code}: {text}"]


def _killed(
    place: Place, words: tuple[object, ...], rng: random.Random, seen: Tally, *, names: tuple[str, ...]
) -> list[str]:
    """Commands until one was killed; one that ends before has to end well, and its `names` make room."""
    start = time.monotonic()
    for _ in range(MOST_TRIES):
        after = None if rng.random() < 0.5 else rng.uniform(0, place.seconds)
        code, text = Command(words).killed(place.folder, after)
        if code is None:
            seen.in_a_write += any(_is_part(part) for part in place.contents())
            return []
        if code:
            return [f"{code}: {text}"]
        place.clear(*names)
    return [f"no {words[0]} was killed in {time.monotonic() - start:.0f} s"]


def _without_room(
    place: Place, words: tuple[object, ...], rng: random.Random, seen: Tally, *, names: tuple[str, ...]
) -> list[str]:
    """Commands until one had too little room for its `names`; what it says must be one clear line."""
    sizes = [len(content) for file, content in place.whole.items() if file.startswith(names[0])]
    for _ in range(MOST_TRIES):
        with place.limit(rng.randrange(sum(sizes))):
            code, text = Command(words).ended()
        if code:
            clear = code == 1 and _is_one_line(text) and any(reason in text for reason in FULL)
            return [] if clear else [f"{code}: {text}"]
        place.clear(*names)
    return [f"there was room enough for {words[0]} at {MOST_TRIES} points"]


def _two(words: tuple[object, ...], rng: random.Random) -> list[tuple[int | None, str]]:
    first = Command(words)
    time.sleep(rng.uniform(0, 0.05))
    second = Command(words)
    return [first.ended(), second.ended()]


def _is_one_line(text: str) -> bool:
    """Whether it ended with its reason in one line."""
    return "Traceback" not in text and text.strip().rpartition("\n")[2].startswith("Error: ")


if __name__ == "__main__":
    main()
