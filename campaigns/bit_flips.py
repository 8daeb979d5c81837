"""Flip single bits in records: `aqa store verify` must find every flip, wherever in the file it is.

    python -m campaigns.bit_flips --count 1000 --out build/campaigns

Bits are drawn evenly over all bits of all records. A tenth as many are then drawn in a packed store.
"""

import random
from pathlib import Path

from aqa_pipeline.errors import StoreError
from aqa_pipeline.store import Store, pack
from campaigns.inputs.samples import aqa, random_record
from campaigns.results.campaign import CampaignResult, run_campaign

NUM_RECORDS = 12
COMMANDS = 20  # the command checks the first 20 flips too; its function checks all of them


def main() -> None:
    """Run the campaign."""
    run_campaign("bit_flips", "{count} single bit flips in records", measure, count=1000, description=__doc__)


def measure(count: int, scratch: Path) -> CampaignResult:
    """Count the flips that `verify` finds in the right file, and those that it misses."""
    store = Store(scratch / "store")
    paths = [store.write(random_record(index)) for index in range(NUM_RECORDS)]
    rng = random.Random(0)
    missed = [flip for number in range(count) if (flip := _flip_a_record(store, paths, rng, number))]
    packed = scratch / "packed.h5"
    pack(store, packed)
    num_in_pack = -(-count // 10)
    missed_in_pack = [flip for _ in range(num_in_pack) if (flip := _flip_a_pack(packed, rng))]
    assert all(problem is None for _, problem in store.verify()), "the store must be whole again"
    return CampaignResult(
        summary=f"{count - len(missed):,} found by verify, {len(missed)} missed; "
        f"{num_in_pack - len(missed_in_pack)} of {num_in_pack} in a packed store found",
        kept=not missed and not missed_in_pack,
        counts={
            "flips in records": count,
            "missed": len(missed),
            "flips in a pack": num_in_pack,
            "missed in a pack": len(missed_in_pack),
        },
        details={"missed at": (missed + missed_in_pack)[:20]},
    )


def _flip_a_record(store: Store, paths: list[Path], rng: random.Random, number: int) -> str | None:
    """Flip a bit, verify, and restore the file. Return the bit in words if it was missed, else None."""
    (path,) = rng.choices(paths, weights=[path.stat().st_size for path in paths])
    at, content = _flip(path, rng)
    found = [problem.path for _, problem in store.verify() if problem]
    seen_by_command = number >= COMMANDS or aqa("store", "verify", store.root)[0] == 3
    path.write_bytes(content)
    return None if found == [path] and seen_by_command else f"{path.name}, bit {at}: {found}"


def _flip_a_pack(path: Path, rng: random.Random) -> str | None:
    at, content = _flip(path, rng)
    try:
        found = any(problem for _, problem in Store(path).verify())
    except StoreError:  # the store cannot be opened, so the flip is noticed
        found = True
    path.write_bytes(content)
    return None if found else f"{path.name}, bit {at}"


def _flip(path: Path, rng: random.Random) -> tuple[int, bytes]:
    """Flip a random bit of a file. Return the bit's number and the file's content before."""
    content = path.read_bytes()
    at = rng.randrange(8 * len(content))
    flipped = bytearray(content)
    flipped[at // 8] ^= 1 << at % 8
    path.write_bytes(flipped)
    return at, content


if __name__ == "__main__":
    main()
