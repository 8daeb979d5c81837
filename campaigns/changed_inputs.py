"""Change videos, windows, boxes and roots between two extractions: each change must be noticed.

    python -m campaigns.changed_inputs --count 200 --out build/campaigns

A store is extracted again and again, each time after random changes of its inputs
(`campaigns.inputs.changes`).
Before each extraction, `fit` and `store verify --sources` must report the changes. A file changed to one of
equal size and time must be reported by `store verify --sources` alone; its records are deleted and made
again. No unchanged record may be made again. After each extraction the store must equal, array by array, a
store that is extracted from scratch.
"""

import random
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.sources.outdated import find_changed
from aqa_pipeline.store import Store
from campaigns.inputs.changes import CHANGES, OTHER_VIDEO, TRACKED, Change, Inputs
from campaigns.inputs.samples import aqa, differences
from campaigns.results.campaign import CampaignResult, run_campaign

CHANGES_OF_A_ROUND = 10  # of twelve videos
ROUNDS_OF_A_ROOT = 4  # then the videos move to another root, into a folder of the same name
NAME = "jumps"
WEIGHTS = ("--weights", "random:0", "--device", "cpu", "--runtime", "eager", "--workers", 1)
CROPS = ("--streams", "crops", "--backbone", "resnet18", "--detector", "annotations")
TUBES = ("--streams", "tubes", "--videos", ",".join(TRACKED), "--last-frames", 16, "--views", "reference")
CHANGED_LINE = re.compile(r"changed since they were extracted: (.*)\.$", re.MULTILINE)

Identity = tuple[int, int]
Places = set[tuple[str, str]]  # stream and video


@dataclass
class Tally:
    """The counts so far. `missed` holds, by round and video, changes that a command did not report."""

    done: Counter[str] = field(default_factory=Counter)
    missed: dict[str, str] = field(default_factory=dict)
    in_vain: list[str] = field(default_factory=list)
    unequal: list[str] = field(default_factory=list)
    rounds: int = 0


def main() -> None:
    """Run the campaign."""
    run_campaign(
        "changed_inputs",
        "{count} changes of file, window, boxes, quads, fps or root between two extractions",
        measure,
        count=200,
        description=__doc__,
    )


def measure(count: int, scratch: Path) -> CampaignResult:
    """Count unnoticed changes, records that were made in vain, and differences from fresh stores."""
    rng, tally, store = random.Random(0), Tally(), scratch / "store"
    inputs = Inputs.made(scratch / "root-0" / NAME, rng)
    text = extracted(inputs, store)
    assert not CHANGED_LINE.search(text), text
    while (left := count - tally.done.total()) > 0:
        new_root = tally.rounds % ROUNDS_OF_A_ROOT == ROUNDS_OF_A_ROOT - 1
        if new_root:
            inputs = inputs.moved(scratch / f"root-{tally.rounds}" / NAME)
        drawn = _draw(
            rng, list(inputs.windows), min(left, CHANGES_OF_A_ROUND), OTHER_VIDEO if new_root else CHANGES
        )
        for name, what in drawn.items():
            CHANGES[what].apply(inputs, name, rng)
            tally.done[f"{what}, under another root" if new_root else what] += 1
        inputs.write_table()
        _one_round(inputs, store, drawn, tally)
        fresh = scratch / f"fresh-{tally.rounds}"
        extracted(inputs, fresh)
        tally.unequal += [f"round {tally.rounds}: {text}" for text in differences(Store(fresh), Store(store))]
        tally.rounds += 1
    quiet = sum(number for what, number in tally.done.items() if what in CHANGES and CHANGES[what].quietly)
    touched = tally.done["only touched"]
    noticed = count - quiet - touched - len(tally.missed)
    return CampaignResult(
        summary=f"{noticed} noticed by `extract`, {quiet} of equal size and time by "
        f"`store verify --sources`, {len(tally.missed)} missed; {touched} files only touched, "
        f"{len(tally.in_vain)} records made in vain; {tally.rounds} stores, {len(tally.unequal)} "
        "differences from a fresh one",
        kept=not (tally.missed or tally.in_vain or tally.unequal),
        counts={
            "changes": count,
            **{f"  {what}": number for what, number in sorted(tally.done.items())},
            "missed": len(tally.missed),
            "made again in vain": len(tally.in_vain),
            "stores compared": tally.rounds,
            "differences": len(tally.unequal),
        },
        details={"problems": [*map(": ".join, tally.missed.items()), *tally.in_vain, *tally.unequal][:20]},
    )


def _draw(rng: random.Random, names: list[str], number: int, changes: dict[str, Change]) -> dict[str, str]:
    """Draw videos and a change for each; every change is equally likely."""
    drawn: dict[str, str] = {}
    while len(drawn) < number:
        what = rng.choice(list(changes))
        free = [name for name in names if name not in drawn and changes[what].suits(name)]
        if free:
            drawn[rng.choice(free)] = what
    return drawn


def extracted(inputs: Inputs, store: Path, *options: object) -> str:
    """Extract crops, then tubes, which have separate quads. Return all printed text."""
    quads = ("--tracker", f"annotations:{inputs.root / 'quads'}")
    texts = []
    for streams in ((*CROPS,), (*TUBES, *quads)):
        data = ("--dataset", "folder", "--root", inputs.root, "--store", store)
        code, text = aqa("extract", *data, *streams, *WEIGHTS, *options)
        assert code == 0, text
        texts.append(text)
    return "\n".join(texts)


def _one_round(inputs: Inputs, store: Path, drawn: dict[str, str], tally: Tally) -> None:
    """Compare what each command reports with what was changed, and bring the store up to date."""
    noticed = {name: CHANGES[what] for name, what in drawn.items() if CHANGES[what].reason is not None}
    open_ones = {name: change for name, change in noticed.items() if not change.quietly}
    of_dataset = {name: change for name, change in noticed.items() if CHANGES["quads"] is not change}
    _add_to_tally(tally, "fit", drawn, _reported_by_fit(inputs, store), _without(open_ones, CHANGES["quads"]))
    _add_to_tally(tally, "verify --sources", drawn, _reported_by_verify(inputs, store), of_dataset)
    before = _identities(store)
    text = extracted(inputs, store)
    _add_to_tally(tally, "extract", drawn, _reported_by_extract(text), open_ones)
    after = _identities(store)
    expected = _records(open_ones) | _records({n: CHANGES[w] for n, w in drawn.items() if n not in noticed})
    written = {place for place in after if after[place] != before.get(place)}
    for stream, name in expected - written:
        tally.missed[f"round {tally.rounds}, {name}"] = f"{drawn[name]}, but its {stream} were not made again"
    tally.in_vain += [f"round {tally.rounds}, {name}: its {stream}" for stream, name in written - expected]
    if quiet := {name: change for name, change in noticed.items() if change.quietly}:
        for name in quiet:
            for path in store.rglob(f"{name}.h5"):
                path.unlink()
        extracted(inputs, store)


def _without(changes: dict[str, Change], left_out: Change) -> dict[str, Change]:
    return {name: change for name, change in changes.items() if change is not left_out}


def _records(changes: dict[str, Change]) -> Places:
    of_all = {(stream, name) for name, change in changes.items() for stream in change.streams}
    return {(stream, name) for stream, name in of_all if stream != "tubes" or name in TRACKED}


def _add_to_tally(
    tally: Tally, who: str, drawn: dict[str, str], reported: dict[str, str], expected: dict[str, Change]
) -> None:
    """Add the changes that a command missed, and those that it reported without a reason."""
    for name in reported.keys() | expected.keys():
        where, what = f"round {tally.rounds}, {name}", drawn.get(name, "unchanged")
        if name not in expected:
            tally.in_vain.append(f"{where}: {what}, but {who} reports {reported[name]}")
        elif not re.match(str(expected[name].reason), reported.get(name, "nothing")):
            tally.missed[where] = f"{what}, but {who} reports {reported.get(name, 'nothing')}"


def _reported_by_fit(inputs: Inputs, store: Path) -> dict[str, str]:
    """Return the reasons for which `aqa fit` refuses videos, by video."""
    stored, dataset = Store(store), load_dataset("folder", inputs.root, called=NAME)
    changed = {}
    for spec in [row.spec for row in stored.contents()]:
        changed |= find_changed(stored, dataset, [spec], stored.video_ids(NAME, spec))
    return {name: ", ".join(reasons) for name, reasons in changed.items()}


def _reported_by_verify(inputs: Inputs, store: Path) -> dict[str, str]:
    _, text = aqa("store", "verify", store, "--sources", "--root", inputs.root)
    lines = (re.fullmatch(r"  .*/([^/]+)\.h5: (.*)", line) for line in text.splitlines())
    return {line[1]: line[2] for line in lines if line}


def _reported_by_extract(text: str) -> dict[str, str]:
    """Return why `aqa extract` made videos again, by video: it prints `a (another file), b (other boxes)`."""
    lines = CHANGED_LINE.findall(text)
    return dict(pair for line in lines for pair in re.findall(r"(\S+) \(([^)]*)\)", line))


def _identities(store: Path) -> dict[tuple[str, str], Identity]:
    """Return the identity of each record's file by stream and video; it changes when a file is rewritten."""
    found = {}
    for path in store.rglob("*.h5"):
        facts = path.stat()
        found[path.parent.name.split("-")[0], path.stem] = (facts.st_ino, facts.st_mtime_ns)
    return found


if __name__ == "__main__":
    main()
