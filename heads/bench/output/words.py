"""The numbers of a bench as text, and in plain words whether a head beats ridge regression."""

from collections.abc import Iterator, Sequence

from heads.bench.measuring import MEAN, RIDGE
from heads.bench.records import (
    FILE,
    BenchResults,
    BlockRecord,
    CellRecord,
    IntervalRecord,
    RankingRecord,
)
from heads.evaluation.metric import TITLES

UNDEFINED, CONSTANT = "undefined", "a constant, which ranks nothing"
BETTER, NOT_BETTER, WORSE = "better than ridge", "does not beat ridge", "worse than ridge"
SPLITS_SHOWN = 5
VERIFY = "`aqa bench verify` computes every number again from the stored predictions."


def verdict(cell: CellRecord) -> str:
    """Return in plain words how the head does against ridge regression, or what its row is for."""
    if cell.is_control:
        return _control(cell)
    if cell.row == RIDGE:
        return "the reference"
    if cell.value is None:
        return CONSTANT
    against = cell.against_ridge
    if against is None:
        return "not compared: ridge failed"
    if against.interval.low is None or against.interval.high is None:
        return f"not compared: {against.interval.why_none}"
    if against.interval.low > 0:
        return BETTER
    if against.interval.high < 0:
        return WORSE
    return NOT_BETTER


def _control(cell: CellRecord) -> str:
    low, high = cell.interval.low, cell.interval.high
    if cell.value is None:
        return "control finds nothing: a constant"
    if low is None or high is None:
        return f"control: {cell.interval.why_none}"
    if not low <= 0 <= high and len(cell.per_seed) == 1:
        return "control is off 0 with one shuffle: take more seeds"
    if low > 0:
        return "control finds something: take more seeds, or look for a leak"
    if high < 0:
        return "control is below 0: take more seeds"
    return "control finds nothing, as it should"


def in_order(block: BlockRecord) -> list[CellRecord]:
    """Return the cells, the best first; those without a value and the control come last."""
    return sorted(
        block.cells,
        key=lambda cell: (cell.is_control, cell.value is None, -(cell.value or 0.0)),
    )


def number_text(value: float | None, *, sign: str = "") -> str:
    """Return the number with three decimals, or "undefined"."""
    return UNDEFINED if value is None else f"{value:{sign}.3f}"


def interval_text(interval: IntervalRecord, *, sign: str = "") -> str:
    """Return `[0.123, 0.456]`, or why there is none."""
    if interval.low is None or interval.high is None:
        return interval.why_none
    return f"[{interval.low:{sign}.3f}, {interval.high:{sign}.3f}]"


def header(block: BlockRecord) -> tuple[str, ...]:
    """Return the titles of a block's columns."""
    metric = TITLES[block.metric]
    return (
        "head",
        "in words",
        metric,
        "95 % interval",
        "minus ridge",
        "95 % interval",
        "mean error",
        "seeds",
    )


def row_texts(cell: CellRecord) -> tuple[str, ...]:
    """Return the texts of a row, in the order of `header`."""
    against = cell.against_ridge if cell.row != MEAN else None
    return (
        cell.row,
        verdict(cell),
        number_text(cell.value),
        interval_text(cell.interval),
        number_text(against.difference, sign="+") if against else "",
        interval_text(against.interval, sign="+") if against else "",
        f"{cell.mean_error:.3g}",
        " ".join(number_text(seed.value) for seed in cell.per_seed) if len(cell.per_seed) > 1 else "1",
    )


def title_of(block: BlockRecord) -> str:
    """Return the title of a block."""
    return f"{block.dataset}, target {block.target}, encoder {block.encoder.name}"


def facts_of(block: BlockRecord) -> str:
    """Return one sentence on the test videos, splits and seeds of a block."""
    seeds = sorted({seed.seed for cell in block.cells for seed in cell.per_seed})
    splits = ", ".join(f"{split.name} (SHA-256 {split.sha256[:12]})" for split in block.splits[:SPLITS_SHOWN])
    if len(block.splits) > SPLITS_SHOWN:
        splits += f" and {len(block.splits) - SPLITS_SHOWN} more, which {FILE} names"
    kind = f"; {block.mean_over_splits}" if len(block.splits) > 1 else ""
    epochs = sorted({cell.epochs for cell in block.cells if cell.epochs is not None})
    asked = f"; {' or '.join(map(str, epochs))} epochs instead of the recipes'" if epochs else ""
    return (
        f"{block.num_videos} test videos; {'split' if len(block.splits) == 1 else 'splits'} {splits}; "
        f"{'seed' if len(seeds) == 1 else 'seeds'} {', '.join(map(str, seeds))}; last epoch{kind}{asked}"
    )


def flags_of(blocks: Sequence[BlockRecord]) -> tuple[str, ...]:
    """Return the flags of all runs, each once."""
    return tuple(dict.fromkeys(flag for block in blocks for cell in block.cells for flag in cell.flags))


def not_beating_ridge(blocks: Sequence[BlockRecord]) -> Iterator[str]:
    """Yield for each block a sentence that names the heads that do not beat ridge regression."""
    for block in blocks:
        heads = [cell for cell in in_order(block) if not cell.is_control and cell.row not in (MEAN, RIDGE)]
        behind = [cell.row for cell in heads if verdict(cell) in (NOT_BETTER, WORSE, CONSTANT)]
        if behind:
            which = "no head beats" if len(behind) == len(heads) else f"{', '.join(behind)} do not beat"
            which = which.replace(" do not", " does not") if len(behind) == 1 else which
            yield f"On {title_of(block)}: {which} ridge regression."


def ranking_text(ranking: RankingRecord, blocks: Sequence[BlockRecord]) -> Iterator[str]:
    """Yield the sentences on the ranking, or the one that says why there is none."""
    if ranking.why_none or ranking.critical_difference is None:
        yield f"No ranking: {ranking.why_none}."
        return
    test = "undefined" if ranking.friedman is None else f"{ranking.friedman:.2f} (p {ranking.p:.2g})"
    yield (
        f"Average ranks over {ranking.num_blocks} blocks of dataset and encoder; 1 is the best. "
        f"Friedman's statistic {test}. "
        f"Ranks that differ by less than {ranking.critical_difference:.2f} are not clearly different "
        "(Nemenyi, 0.05)."
    )
    if len({block.dataset for block in blocks}) < len(blocks):
        yield (
            "Blocks of one dataset share their videos, so they are not independent: take the test as a guide."
        )
    for row, reason in ranking.left_out.items():
        yield f"Not ranked: {row}, {reason}."


def failures_text(results: BenchResults) -> Iterator[str]:
    """Yield a line per fit that failed."""
    yield from (f"{each.block}, {each.row}: {each.reason}" for each in results.failed)
