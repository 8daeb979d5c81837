"""Disturb `aqa fit` and `aqa report` with SIGKILL, full disks and a second process, then resume them.

    python -m campaigns.fit_kills --count 100 --out build/campaigns

Each command is a separate process, forked from this one so that everything is imported once. Half of the
SIGKILLs come at a random moment, the others as soon as a file is half written. After a disturbance every file
must be whole. After the same commands again, every file of the run and of the page must equal that of an
undisturbed run, byte by byte: no file says when it was written. As root, the files lie on a small tmpfs that
is full at a random byte. Otherwise the limit is on the size of files (RLIMIT_FSIZE). A fourth as many
disturbances meet fits that fine-tune EfficientNet-Lite0, which leave snapshots of their epochs behind.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from pathlib import Path

import torch

from campaigns.full_disk import small_disk
from campaigns.inputs.fit_place import FROZEN, TUNED, Place, is_part
from campaigns.inputs.samples import aqa, extract_crops, write_videos
from campaigns.processes.forked_command import Command
from campaigns.results.campaign import CampaignResult, run_campaign

DISK_BYTES = 32 << 20
TUNED_DISK_BYTES = 256 << 20  # a snapshot holds the network, its kept epoch and two moments
PIXELS = ("--streams", "pixels", "--pixel-rate", 1, "--picture-size", "224x224")
NUM_VIDEOS = 8
MOST_TRIES = 20  # per disturbance: some commands end before they are killed, some have enough room
RIVAL = "another command is writing into"
FULL = ("the disk is full", "the file would be larger than is allowed")


def main() -> None:
    """Run the campaign."""
    run_campaign(
        "fit_kills",
        "{count} disturbances of `aqa fit` and `aqa report`: SIGKILL, full disks, two at once",
        measure,
        count=100,
        description=__doc__,
    )


@dataclass
class Tally:
    """The counts so far."""

    done: Counter[str] = field(default_factory=Counter)
    in_a_write: int = 0
    rivals_refused: int = 0
    compared: int = 0
    problems: list[str] = field(default_factory=list)


def measure(count: int, scratch: Path) -> CampaignResult:
    """Count the files that are not whole after a disturbance, or differ from an undisturbed run."""
    torch.set_num_threads(1)  # torch's threads do not survive a fork
    root, store = scratch / "videos", scratch / "store"
    write_videos(root, num_videos=NUM_VIDEOS)
    data = ("--dataset", "folder", "--root", root, "--store", store)
    for code, text in (extract_crops(root, store), aqa("extract", *data, *PIXELS)):
        assert code == 0, text
    tally = Tally()
    with small_disk(scratch / "disk", DISK_BYTES) as (kind, folder, limit):
        _disturb(Place(folder, data, limit), DISTURBANCES, tally, count=count)
    with small_disk(scratch / "larger-disk", TUNED_DISK_BYTES) as (_, folder, limit):
        _disturb(Place(folder, data, limit, TUNED), OF_TUNED, tally, count=ceil(count / 4))
    return CampaignResult(
        summary=f"{tally.compared} runs with their pages completed afterwards: {len(tally.problems)} "
        "differences from an undisturbed one, byte by byte, half files or bad messages; of two fits at once "
        f"{tally.rivals_refused} of {tally.done['two_fits']} times one was refused, in one line ({kind})",
        kept=not tally.problems,
        counts={
            "disturbances": sum(tally.done.values()),
            **{f"  {what.replace('_', ' ')}": number for what, number in sorted(tally.done.items())},
            "kills in the middle of a write": tally.in_a_write,
            "runs compared": tally.compared,
            "problems": len(tally.problems),
            "disk": kind,
        },
        details={"problems": tally.problems[:20]},
    )


def _disturb(place: Place, disturbances: Sequence["Disturbance"], tally: Tally, *, count: int) -> None:
    """Disturb the commands of the place so many times, one disturbance after the other, and count."""
    place, rng = _undisturbed(place), random.Random(0)
    for number in range(count):
        what = disturbances[number % len(disturbances)]
        found = what(place, rng, tally) or place.unsound()
        name = what.__name__ if place.how is FROZEN else f"fine_tuned_{what.__name__}"
        tally.done[name] += 1
        if what is not fit_killed or rng.random() < 0.5:
            found += _completed(place, tally)
        tally.problems += [f"{number}, {name}: {text}" for text in found]
    tally.problems += [f"in the end: {text}" for text in _completed(place, tally)]


def _undisturbed(place: Place) -> Place:
    """Return the place with the files of an undisturbed run, after two runs that must be equal.

    The first run also imports everything that the forked commands need.
    """
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
    return replace(place, whole=whole, seconds=max(seconds))


def _completed(place: Place, tally: Tally) -> list[str]:
    """Run the commands again, and return what is wrong. Delete run and page afterwards."""
    answers = [Command(words).ended() for words in (place.fit(), place.report())]
    found = [text for code, text in answers if code] + place.differences()
    tally.compared += 1
    place.clear()
    return found


def fit_killed(place: Place, rng: random.Random, tally: Tally) -> list[str]:
    """Kill a fit that resumes what earlier kills left."""
    return _killed(place, place.fit(), rng, tally, names=("run", "page"))


def report_killed(place: Place, rng: random.Random, tally: Tally) -> list[str]:
    """Kill a report on a finished run."""
    return _with_a_run(place) or _killed(place, place.report(), rng, tally, names=("page",))


def fit_on_a_full_disk(place: Place, rng: random.Random, tally: Tally) -> list[str]:
    """Run a fit with too little room."""
    return _without_room(place, place.fit(), rng, tally, names=("run", "page"))


def report_on_a_full_disk(place: Place, rng: random.Random, tally: Tally) -> list[str]:
    """Run a report with too little room."""
    return _with_a_run(place) or _without_room(place, place.report(), rng, tally, names=("page",))


def two_fits(place: Place, rng: random.Random, tally: Tally) -> list[str]:
    """Run two fits into one empty folder at once; one of them may be refused."""
    place.clear()
    answers = _two(place.fit(), rng)
    refused = [text for code, text in answers if code == 1 and RIVAL in text and _is_one_line(text)]
    tally.rivals_refused += len(refused)
    done = [code for code, _ in answers if code == 0]
    return [] if done and len(done) + len(refused) == 2 else [f"{code}: {text}" for code, text in answers]


def two_reports(place: Place, rng: random.Random, tally: Tally) -> list[str]:
    """Run two reports into one page at once."""
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
OF_TUNED: tuple[Disturbance, ...] = (fit_killed, fit_killed, fit_on_a_full_disk, two_fits)


def _with_a_run(place: Place) -> list[str]:
    """Fit the run that a report needs. Return what went wrong."""
    code, text = Command(place.fit()).ended()
    return [] if code == 0 else [f"{code}: {text}"]


def _killed(
    place: Place, words: tuple[object, ...], rng: random.Random, tally: Tally, *, names: tuple[str, ...]
) -> list[str]:
    """Start commands until one was killed. Return what went wrong.

    A command that ends before its kill must succeed; its outputs `names` are then deleted.
    """
    start = time.monotonic()
    for _ in range(MOST_TRIES):
        after = None if rng.random() < 0.5 else rng.uniform(0, place.seconds)
        code, text = Command(words).killed(place.folder, after)
        if code is None:
            tally.in_a_write += any(is_part(part) for part in place.contents())
            return []
        if code:
            return [f"{code}: {text}"]
        place.clear(*names)
    return [f"no {words[0]} was killed in {time.monotonic() - start:.0f} s"]


def _without_room(
    place: Place, words: tuple[object, ...], rng: random.Random, tally: Tally, *, names: tuple[str, ...]
) -> list[str]:
    """Start commands until one has too little room. Return its message unless that is one clear line.

    Outputs `names` of a command with enough room are deleted.
    """
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
    """Return True if the text ends with the reason in one line, without a traceback."""
    return "Traceback" not in text and text.strip().rpartition("\n")[2].startswith("Error: ")


if __name__ == "__main__":
    main()
