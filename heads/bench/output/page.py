"""The leaderboard: one page on the results of one bench or of several."""

from collections.abc import Sequence
from pathlib import Path

from heads.bench.output.intervals import intervals_plot
from heads.bench.output.words import (
    BETTER,
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
from heads.bench.records import BenchResults, BlockRecord, CellRecord
from heads.pages.leaderboard_page import BlockSection, HeadLine, LeaderboardPage, write_leaderboard_page
from heads.pages.run_page import Picture, TableOf
from heads.reports.figures import Plot


def write_leaderboard(path: Path, results: BenchResults, plot: Plot | None) -> Path:
    """Write the page; `plot` is the critical-difference picture, if there is one. Return the path."""
    ranking = results.ranking
    rows = [(head.row, f"{head.average_rank:.2f}") for head in ranking.heads]
    page = LeaderboardPage(
        title=_title(results.blocks),
        flags=flags_of(results.blocks),
        findings=list(not_beating_ridge(results.blocks)),
        ranking_notes=list(ranking_text(ranking, results.blocks)),
        picture=_picture(plot, title="Average ranks"),
        ranking=TableOf(("head", "average rank"), rows) if rows else None,
        blocks=[_section(block) for block in results.blocks],
        failed=list(failures_text(results)),
        verify=VERIFY.replace("`", ""),
    )
    return write_leaderboard_page(path, page)


def _title(blocks: Sequence[BlockRecord]) -> str:
    datasets = list(dict.fromkeys(block.dataset for block in blocks))
    return f"Heads on {' and '.join(datasets)}" if datasets else "Heads"


def _picture(plot: Plot | None, *, title: str) -> Picture | None:
    return None if plot is None else Picture(title, plot.alt, plot.svg_of_page)


def _line(cell: CellRecord) -> HeadLine:
    row, words, *values = row_texts(cell)
    return HeadLine(row, words, "good" if words == BETTER else "quiet", tuple(values))


def _section(block: BlockRecord) -> BlockSection:
    head, _, *columns = header(block)
    splits = [(split.name, split.sha256, str(split.num_train), str(split.num_test)) for split in block.splits]
    runs = [
        (cell.row, f"{cell.head} ({cell.variant})", cell.run, "  ".join(sorted(cell.predictions.values())))
        for cell in in_order(block)
    ]
    return BlockSection(
        title=title_of(block),
        facts=f"{facts_of(block)}.",
        header=(head, *columns),
        heads=[_line(cell) for cell in in_order(block)],
        picture=_picture(intervals_plot(block), title="Intervals"),
        splits=TableOf(("split", "SHA-256", "training videos", "test videos"), splits, num_texts=2),
        runs=TableOf(("row", "head", "run", "SHA-256 of predictions"), runs, num_texts=4),
    )
