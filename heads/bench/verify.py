"""Compute every number of results.json again from the stored predictions of the runs beside it."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heads.bench.measuring import measure_block
from heads.bench.ranking import rank_heads
from heads.bench.records import BenchResults, BlockRecord, read_results
from heads.evaluation.bootstrap import NUM_RESAMPLES

# Sums may be rounded in another order on another machine; a changed digit that anybody reads is far larger.
RELATIVE_ROUNDING = 1e-9
KEYS = ("row", "name", "seed")  # what an item of a list is called by


@dataclass(frozen=True)
class Verification:
    """What was compared, and one line per difference: `place: stated != computed`."""

    num_runs: int
    num_values: int
    differences: tuple[str, ...]

    @property
    def is_same(self) -> bool:
        """True if every number, name and digest is the one that the predictions give."""
        return not self.differences


def verify(path: Path, *, num_resamples: int = NUM_RESAMPLES) -> Verification:
    """Compare results.json with what the predictions of its runs give.

    Runs are looked for beside the file. Raises `RunError` if the file itself cannot be read.
    """
    stated = read_results(path)
    computed, differences, num_values = [], [], 0
    for block in stated.blocks:
        again, failed = measure_block(
            path.parent,
            block.name,
            {cell.row: cell.run for cell in block.cells},
            encoder=block.encoder.name,
            num_resamples=num_resamples,
        )
        differences += [f"{each.block}, {each.row}: {each.reason}" for each in failed]
        if again is None:
            continue
        computed.append(again)
        without = {each.row for each in failed}
        mine, theirs = _values(_without(block, without)), _values(again)
        num_values += len(mine)
        differences += _differences(mine, theirs, where=block.name)
    differences += _doubled(stated)
    if len(differences) == 0:
        mine, theirs = _values(stated.ranking), _values(rank_heads(computed))
        num_values += len(mine)
        differences += _differences(mine, theirs, where="ranking")
    num_runs = sum(len(block.cells) for block in stated.blocks)
    return Verification(num_runs, num_values, tuple(differences))


def _without(block: BlockRecord, rows: set[str]) -> BlockRecord:
    return block.model_copy(update={"cells": tuple(cell for cell in block.cells if cell.row not in rows)})


def _doubled(stated: BenchResults) -> Iterator[str]:
    """Yield the blocks and rows that stand in the file twice, of which only one would be compared."""
    names = [block.name for block in stated.blocks]
    yield from (f"{name}: stands there twice" for name in sorted(set(names)) if names.count(name) > 1)
    for block in stated.blocks:
        rows = [cell.row for cell in block.cells]
        yield from (
            f"{block.name}, {row}: stands there twice" for row in sorted(set(rows)) if rows.count(row) > 1
        )


def _values(record: Any) -> dict[str, Any]:
    return dict(_flat(record.model_dump(mode="json")))


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each plain value by its dotted name; items of lists are called by their row, name or seed."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}".removeprefix("."))
    elif isinstance(value, list | tuple):
        for at, inner in enumerate(value):
            yield from _flat(inner, f"{name}.{_key(inner, at)}")
    else:
        yield name, value


def _key(item: Any, at: int) -> str:
    keys = [str(item[key]) for key in KEYS if key in item] if isinstance(item, Mapping) else []
    return keys[0] if keys else str(at)


def _differences(mine: Mapping[str, Any], theirs: Mapping[str, Any], *, where: str) -> Iterator[str]:
    for name in [*mine, *(name for name in theirs if name not in mine)]:
        stated, computed = mine.get(name, "(absent)"), theirs.get(name, "(absent)")
        if not _is_same(stated, computed):
            yield f"{where}, {name}: {stated} in the file != {computed} from the predictions"


def _is_same(stated: Any, computed: Any) -> bool:
    if isinstance(stated, float) and isinstance(computed, float):
        return math.isclose(stated, computed, rel_tol=RELATIVE_ROUNDING, abs_tol=RELATIVE_ROUNDING)
    return bool(stated == computed)
