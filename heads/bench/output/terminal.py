"""The results of a bench for the terminal."""

from collections.abc import Iterator

from aqa_pipeline.text_table import format_table
from heads.bench.output.words import (
    facts_of,
    failures_text,
    flags_of,
    header,
    in_order,
    not_beating_ridge,
    ranking_text,
    row_texts,
    title_of,
)
from heads.bench.records import BenchResults


def format_results(results: BenchResults) -> str:
    """Return all tables with flags, the ranking, and the fits that failed."""
    return "\n".join(_lines(results)).rstrip()


def _lines(results: BenchResults) -> Iterator[str]:
    yield from (f"*** {flag} ***" for flag in flags_of(results.blocks))
    for block in results.blocks:
        yield title_of(block)
        yield facts_of(block)
        yield ""
        yield format_table(header(block), [row_texts(cell) for cell in in_order(block)])
        yield ""
    if results.ranking.heads:
        rows = [(head.row, f"{head.average_rank:.2f}") for head in results.ranking.heads]
        yield format_table(("head", "average rank"), rows)
        yield ""
    yield from ranking_text(results.ranking, results.blocks)
    yield from not_beating_ridge(results.blocks)
    if results.failed:
        yield ""
        yield f"{len(results.failed)} failed:"
        yield from (f"  {line}" for line in failures_text(results))
