"""The results of a bench as CSV: one row per head and block, numbers with all their digits."""

from collections.abc import Iterator

from aqa_pipeline.untrusted.csv_fields import csv_text
from heads.bench.output.words import verdict
from heads.bench.records import BenchResults, BlockRecord, CellRecord

COLUMNS = (
    *(
        "dataset",
        "target",
        "encoder",
        "row",
        "head",
        "variant",
        "is_control",
        "metric",
        "value",
        "low",
        "high",
    ),
    *("difference_from_ridge", "difference_low", "difference_high", "p", "mean_error", "num_videos"),
    *("num_splits", "seeds", "per_seed", "in_words", "splits_sha256", "flags", "run"),
)


def csv_of(results: BenchResults) -> str:
    """Return the text of the file; numbers that do not exist are empty."""
    return csv_text(list(_rows(results)), columns=COLUMNS)


def _rows(results: BenchResults) -> Iterator[dict[str, object]]:
    for block in results.blocks:
        yield from (_row(block, cell) for cell in block.cells)


def _row(block: BlockRecord, cell: CellRecord) -> dict[str, object]:
    against = cell.against_ridge
    values = [seed.value for seed in cell.per_seed]
    return {
        "dataset": block.dataset,
        "target": block.target,
        "encoder": block.encoder.name,
        "row": cell.row,
        "head": cell.head,
        "variant": cell.variant,
        "is_control": cell.is_control,
        "metric": block.metric,
        "value": cell.value,
        "low": cell.interval.low,
        "high": cell.interval.high,
        "difference_from_ridge": against and against.difference,
        "difference_low": against and against.interval.low,
        "difference_high": against and against.interval.high,
        "p": against and against.p,
        "mean_error": cell.mean_error,
        "num_videos": block.num_videos,
        "num_splits": len(block.splits),
        "seeds": " ".join(str(seed.seed) for seed in cell.per_seed),
        "per_seed": " ".join("" if value is None else str(value) for value in values),
        "in_words": verdict(cell),
        "splits_sha256": " ".join(split.sha256 for split in block.splits),
        "flags": "; ".join(cell.flags),
        "run": cell.run,
    }
