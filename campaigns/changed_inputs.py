"""Videos, windows, boxes and roots change between two extractions: each is noticed, nothing made in vain.

    python -m campaigns.changed_inputs --count 200 --out build/campaigns

A store is extracted again and again, each time after random changes (`campaigns.changes`) of its inputs.
Before, `fit` and `store verify --sources` are asked what they see of them. What has equal size and time must
be seen by the latter alone; its records are then deleted and made again. In the end the store must be the one
that an extraction of the inputs as they are now writes, array by array.
"""

import random
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.sources.outdated import find_changed
from aqa_pipeline.store import Store
from campaigns.campaign import Seen, run_campaign
from campaigns.changes import CHANGES, OTHER_VIDEO, TRACKED, Change, Inputs
from campaigns.samples import aqa, differences

CHANGES_OF_A_ROUND = 10  # of twelve videos
ROUNDS_OF_A_ROOT = 4  # then the videos lie elsewhere, in a folder of the same name
NAME = "jumps"
WEIGHTS = ("--weights", "random:0", "--device", "cpu", "--runtime", "eager", "--workers", 1)
CROPS = ("--streams", "crops", "--backbone", "resnet18", "--detector", "annotations")
TUBES = ("--streams", "tubes", "--videos", ",".join(TRACKED), "--last-frames", 16, "--views", "reference")
TOLD = re.compile(r"changed since they were extracted: (.*)\.$", re.MULTILINE)

Identity = tuple[int, int]
Places = set[tuple[str, str]]  # stream and video


@dataclass
class Tally:
    """What was seen so far; `missed` holds, by round and video, what somebody did not see of a change."""

    done: Counter[str] = field(default_factory=Counter)
    missed: dict[str, str] = field(default_factory=dict)
    in_vain: list[str] = field(default_factory=list)
    unequal: list[str] = field(default_factory=list)
    rounds: int = 0


def main() -> None:
    run_campaign(
        "changed_inputs",
        "{count} changes of file, window, boxes, quads, fps or root between two extractions",
        measure,
        count=200,
        description=__doc__,
    )


def measure(count: int, scratch: Path) -> Seen:
    """Changes that were not noticed, records made in vain, and stores that are not of what lies there."""
    rng, seen, store = random.Random(0), Tally(), scratch / "store"
    inputs = Inputs.made(scratch / "root-0" / NAME, rng)
    text = extracted(inputs, store)
    assert not TOLD.search(text), text
    while (left := count - seen.done.total()) > 0:
        new_root = seen.rounds % ROUNDS_OF_A_ROOT == ROUNDS_OF_A_ROOT - 1
        if new_root:
            inputs = inputs.moved(scratch / f"root-{seen.rounds}" / NAME)
        drawn = _draw(
            rng, list(inputs.windows), min(left, CHANGES_OF_A_ROUND), OTHER_VIDEO if new_root else CHANGES
        )
        for name, what in drawn.items():
            CHANGES[what].apply(inputs, name, rng)
            seen.done[f"{what}, under another root" if new_root else what] += 1
        inputs.write_table()
        _one_round(inputs, store, drawn, seen)
        fresh = scratch / f"fresh-{seen.rounds}"
        extracted(inputs, fresh)
        seen.unequal += [f"round {seen.rounds}: {text}" for text in differences(Store(fresh), Store(store))]
        seen.rounds += 1
    quiet = sum(number for what, number in seen.done.items() if what in CHANGES and CHANGES[what].quietly)
    touched = seen.done["only touched"]
    noticed = count - quiet - touched - len(seen.missed)
    return Seen(
        what=f"{noticed} noticed by `extract`, {quiet} of equal size and time by `store verify --sources`, "
        f"{len(seen.missed)} missed; {touched} files only touched, {len(seen.in_vain)} records made in vain; "
        f"{seen.rounds} stores, {len(seen.unequal)} differences from a fresh one",
        kept=not (seen.missed or seen.in_vain or seen.unequal),
        counts={
            "changes": count,
            **{f"  {what}": number for what, number in sorted(seen.done.items())},
            "missed": len(seen.missed),
            "made anew in vain": len(seen.in_vain),
            "stores compared": seen.rounds,
            "differences": len(seen.unequal),
        },
        details={"problems": [*map(": ".join, seen.missed.items()), *seen.in_vain, *seen.unequal][:20]},
    )


def _draw(rng: random.Random, names: list[str], number: int, changes: dict[str, Change]) -> dict[str, str]:
    """Videos, and what is to be done to each: as often one change as another."""
    drawn: dict[str, str] = {}
    while len(drawn) < number:
        what = rng.choice(list(changes))
        free = [name for name in names if name not in drawn and changes[what].suits(name)]
        if free:
            drawn[rng.choice(free)] = what
    return drawn


def extracted(inputs: Inputs, store: Path, *options: object) -> str:
    """What an extraction tells of crops, and another of tubes, which have quads of their own."""
    quads = ("--tracker", f"annotations:{inputs.root / 'quads'}")
    told = []
    for streams in ((*CROPS,), (*TUBES, *quads)):
        data = ("--dataset", "folder", "--root", inputs.root, "--store", store)
        code, text = aqa("extract", *data, *streams, *WEIGHTS, *options)
        assert code == 0, text
        told.append(text)
    return "\n".join(told)


def _one_round(inputs: Inputs, store: Path, drawn: dict[str, str], seen: Tally) -> None:
    """Asks everybody what they see, and has the store brought up to date."""
    told = {name: CHANGES[what] for name, what in drawn.items() if CHANGES[what].reason is not None}
    open_ones = {name: change for name, change in told.items() if not change.quietly}
    of_dataset = {name: change for name, change in told.items() if CHANGES["quads"] is not change}
    _scorer(seen, "fit", drawn, _seen_by_fit(inputs, store), _without(open_ones, CHANGES["quads"]))
    _scorer(seen, "verify --sources", drawn, _seen_by_verify(inputs, store), of_dataset)
    before = _identities(store)
    text = extracted(inputs, store)
    _scorer(seen, "extract", drawn, _told(text), open_ones)
    after = _identities(store)
    expected = _records(open_ones) | _records({n: CHANGES[w] for n, w in drawn.items() if n not in told})
    written = {place for place in after if after[place] != before.get(place)}
    for stream, name in expected - written:
        seen.missed[f"round {seen.rounds}, {name}"] = f"{drawn[name]}, but its {stream} were not made anew"
    seen.in_vain += [f"round {seen.rounds}, {name}: its {stream}" for stream, name in written - expected]
    if quiet := {name: change for name, change in told.items() if change.quietly}:
        for name in quiet:
            for path in store.rglob(f"{name}.h5"):
                path.unlink()
        extracted(inputs, store)


def _without(changes: dict[str, Change], left_out: Change) -> dict[str, Change]:
    return {name: change for name, change in changes.items() if change is not left_out}


def _records(changes: dict[str, Change]) -> Places:
    of_all = {(stream, name) for name, change in changes.items() for stream in change.streams}
    return {(stream, name) for stream, name in of_all if stream != "tubes" or name in TRACKED}


def _scorer(
    seen: Tally, who: str, drawn: dict[str, str], told: dict[str, str], expected: dict[str, Change]
) -> None:
    """Adds what was missed, and what was told without a reason."""
    for name in told.keys() | expected.keys():
        where, what = f"round {seen.rounds}, {name}", drawn.get(name, "unchanged")
        if name not in expected:
            seen.in_vain.append(f"{where}: {what}, but {who} tells {told[name]}")
        elif not re.match(str(expected[name].reason), told.get(name, "nothing")):
            seen.missed[where] = f"{what}, but {who} tells {told.get(name, 'nothing')}"


def _seen_by_fit(inputs: Inputs, store: Path) -> dict[str, str]:
    """What `aqa fit` refuses, by video."""
    stored, dataset = Store(store), load_dataset("folder", inputs.root, called=NAME)
    changed = {}
    for spec in [row.spec for row in stored.contents()]:
        changed |= find_changed(stored, dataset, [spec], stored.video_ids(NAME, spec))
    return {name: ", ".join(reasons) for name, reasons in changed.items()}


def _seen_by_verify(inputs: Inputs, store: Path) -> dict[str, str]:
    _, text = aqa("store", "verify", store, "--sources", "--root", inputs.root)
    lines = (re.fullmatch(r"  .*/([^/]+)\.h5: (.*)", line) for line in text.splitlines())
    return {line[1]: line[2] for line in lines if line}


def _told(text: str) -> dict[str, str]:
    """What `aqa extract` made anew and why, by video: it says `a (another file), b (other boxes)`."""
    lines = TOLD.findall(text)
    return dict(pair for line in lines for pair in re.findall(r"(\S+) \(([^)]*)\)", line))


def _identities(store: Path) -> dict[tuple[str, str], Identity]:
    """By stream and video, which file its record is: one that is written again is another."""
    found = {}
    for path in store.rglob("*.h5"):
        facts = path.stat()
        found[path.parent.name.split("-")[0], path.stem] = (facts.st_ino, facts.st_mtime_ns)
    return found


if __name__ == "__main__":
    main()
