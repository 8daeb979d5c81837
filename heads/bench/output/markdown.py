"""The results of a bench as Markdown."""

from collections.abc import Iterable, Iterator

from heads.bench.output.words import (
    VERIFY,
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

SPECIAL = str.maketrans({character: f"\\{character}" for character in "\\|*_`<[#"})


def markdown_of(results: BenchResults) -> str:
    """Return the whole document."""
    return "\n".join(_lines(results)) + "\n"


def _lines(results: BenchResults) -> Iterator[str]:
    yield "# Heads on the same features"
    yield ""
    for flag in flags_of(results.blocks):
        yield f"> **{flag}**"
        yield ""
    yield from _paragraphs(not_beating_ridge(results.blocks))
    for block in results.blocks:
        yield f"## {_escaped(title_of(block))}"
        yield ""
        yield f"{_escaped(facts_of(block))}."
        yield ""
        yield _row(header(block))
        yield _row(["---"] * len(header(block)))
        yield from (_row(map(_escaped, row_texts(cell))) for cell in in_order(block))
        yield ""
    yield "## Ranking"
    yield ""
    yield from _paragraphs(ranking_text(results.ranking, results.blocks))
    if results.ranking.heads:
        yield _row(("head", "average rank"))
        yield _row(("---", "---"))
        for head in results.ranking.heads:
            yield _row((_escaped(head.row), f"{head.average_rank:.2f}"))
        yield ""
    if results.failed:
        yield "## Failed"
        yield ""
        yield from (f"- {_escaped(' '.join(line.split()))}" for line in failures_text(results))
        yield ""
    yield VERIFY


def _paragraphs(sentences: Iterator[str]) -> Iterator[str]:
    for sentence in sentences:
        yield _escaped(sentence)
        yield ""


def _escaped(text: str) -> str:
    return text.translate(SPECIAL)


def _row(texts: Iterable[str]) -> str:
    return "| " + " | ".join(texts) + " |"
