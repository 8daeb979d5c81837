"""Put the results of several benches together."""

from collections.abc import Sequence

from heads.bench.measuring import RIDGE
from heads.bench.ranking import rank_heads
from heads.bench.records import BenchResults, BlockRecord


def merge(results: Sequence[BenchResults]) -> BenchResults:
    """Return the results of several benches as one, ranked anew.

    Blocks of the same dataset, target, features and splits become one block; of a row that stands in
    several, the first is kept.
    """
    blocks: dict[object, BlockRecord] = {}
    for block in (block for each in results for block in each.blocks):
        key = _key(block)
        blocks[key] = _joined(blocks[key], block) if key in blocks else block
    merged = tuple(blocks.values())
    failed = tuple(failure for each in results for failure in each.failed)
    return BenchResults(schema_version=1, blocks=merged, ranking=rank_heads(merged), failed=failed)


def _key(block: BlockRecord) -> object:
    ridge = block.cell(RIDGE)
    data = tuple(ridge.data_sha256.items()) if ridge else ()
    splits = tuple(split.sha256 for split in block.splits)
    return block.dataset, block.target, block.metric, block.encoder.spec, splits, data


def _joined(first: BlockRecord, second: BlockRecord) -> BlockRecord:
    there = {cell.row for cell in first.cells}
    cells = (*first.cells, *(cell for cell in second.cells if cell.row not in there))
    return first.model_copy(update={"cells": cells})
