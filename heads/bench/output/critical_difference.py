"""The critical-difference picture of Demšar, JMLR 7, 2006, figure 1: average ranks on one axis.

The best head is on the right. A bar joins heads whose average ranks are not clearly different.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from heads.bench.records import RankedHead, RankingRecord
from heads.reports.figures import COLORS, INK, QUIET, Plot, new_figure, plotting, save_plot
from heads.reports.plot_labels import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAME = "critical-difference"
WIDTH, ABOVE, LINE = 4.9, 0.75, 0.24  # inches; so narrow that a phone shows the page's picture readably
BAR_STEP = 0.32  # rows of labels


def critical_difference_plot(ranking: RankingRecord, folder: Path) -> Plot:
    """Draw the picture of a ranking that has heads; write it into the folder as SVG and PNG."""
    best, others = _halves(ranking.heads)
    num_rows = max(len(best), len(others))
    bars = len(ranking.alike) * BAR_STEP
    with plotting():
        figure = new_figure(WIDTH, ABOVE + LINE * (num_rows + bars + 1))
        panel = figure.subplots()
        lowest, highest = 1, len(ranking.heads)
        _prepare(panel, lowest, highest, depth=bars + num_rows + 0.6)
        for at, (low, high) in enumerate(_spans(ranking)):
            y = 0.35 + at * BAR_STEP
            panel.plot([low - 0.04, high + 0.04], [y, y], color=COLORS[0], lw=4, solid_capstyle="round")
        for side, heads in (("right", best), ("left", others)):
            for at, head in enumerate(heads):
                _head(panel, head, bars + at + 0.9, side=side, ends=(lowest, highest))
        _ruler(panel, ranking.critical_difference or 0.0, highest)
        return save_plot(figure, folder, name=NAME, title="Average ranks", alt=_alt(ranking))


def _halves(heads: tuple[RankedHead, ...]) -> tuple[list[RankedHead], list[RankedHead]]:
    """Return the better half, best first, and the worse half, worst first."""
    middle = (len(heads) + 1) // 2
    return list(heads[:middle]), list(reversed(heads[middle:]))


def _spans(ranking: RankingRecord) -> list[tuple[float, float]]:
    rank = {head.row: head.average_rank for head in ranking.heads}
    return [(rank[names[0]], rank[names[-1]]) for names in ranking.alike]


def _prepare(panel: "Axes", lowest: int, highest: int, *, depth: float) -> None:
    margin = 0.42 * (highest - lowest)
    panel.set(xlim=(highest + margin, lowest - margin), ylim=(depth, -1.6), yticks=[], xticks=[])
    panel.grid(visible=False)
    for spine in panel.spines.values():
        spine.set_visible(False)
    panel.plot([lowest, highest], [0, 0], color=INK, lw=1.2)
    for rank in range(lowest, highest + 1):
        panel.plot([rank, rank], [0, -0.25], color=INK, lw=1.2)
        panel.text(rank, -0.4, str(rank), ha="center", va="bottom", fontsize="small")


def _head(panel: "Axes", head: RankedHead, y: float, *, side: str, ends: tuple[int, int]) -> None:
    lowest, highest = ends
    end = lowest - 0.06 * (highest - lowest) if side == "right" else highest + 0.06 * (highest - lowest)
    panel.plot([head.average_rank, head.average_rank, end], [0, y, y], color=QUIET, lw=1)
    text = f" {label(head.row)} {head.average_rank:.2f} "
    panel.text(end, y, text, ha="left" if side == "right" else "right", va="center", fontsize="small")


def _ruler(panel: "Axes", difference: float, highest: int) -> None:
    """Draw the length of the critical difference above the axis, from its left end."""
    panel.plot([highest, highest - difference], [-1.25, -1.25], color=COLORS[1], lw=2)
    panel.text(
        highest, -1.35, f"critical difference {difference:.2f}", ha="left", va="bottom", fontsize="small"
    )


def _alt(ranking: RankingRecord) -> str:
    ranks = "; ".join(f"{head.row} {head.average_rank:.2f}" for head in ranking.heads)
    groups = "; ".join(", ".join(names) for names in ranking.alike) or "none"
    return (
        f"Average ranks over {ranking.num_blocks} blocks: {ranks}. Critical difference "
        f"{ranking.critical_difference or 0:.2f}. Not clearly different: {groups}."
    )
