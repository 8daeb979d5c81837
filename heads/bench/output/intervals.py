"""The picture of a block: the metric of each head with its interval, beside ridge regression."""

from pathlib import Path
from tempfile import TemporaryDirectory

from heads.bench.measuring import RIDGE
from heads.bench.output.words import BETTER, in_order, number_text, title_of, verdict
from heads.bench.records import BlockRecord
from heads.evaluation.metric import TITLES
from heads.reports.figures import COLORS, QUIET, Plot, name_across, plotting, rows_figure, save_plot
from heads.reports.plot_labels import label

WIDTH = 4.9  # inches; so narrow that a phone shows the page's picture readably


def intervals_plot(block: BlockRecord) -> Plot | None:
    """Draw the heads that have a value, best on top; None for a block without any.

    Green heads are better than ridge regression, whose value is the dashed line.
    """
    drawn = [(cell, cell.value) for cell in in_order(block) if cell.value is not None]
    if not drawn:
        return None
    with plotting():
        names = [label(cell.row) for cell, _ in drawn]
        figure = rows_figure(names, above=0.7)
        figure.set_figwidth(WIDTH)
        panel = figure.subplots()
        ridge = block.cell(RIDGE)
        if ridge is not None and ridge.value is not None:
            panel.axvline(ridge.value, color=QUIET, lw=1, ls="--")
        for row, (cell, value) in enumerate(reversed(drawn)):
            color = COLORS[2] if verdict(cell) == BETTER else COLORS[0]
            low, high = cell.interval.low, cell.interval.high
            if low is not None and high is not None:
                panel.plot([low, high], [row, row], color=color, lw=2)
            panel.plot([value], [row], "o", color=color)
        panel.set_yticks(range(len(names)), names[::-1])
        panel.set(ylim=(-0.6, len(names) - 0.4))
        name_across(figure, f"{TITLES[block.metric]} with 95 % interval; dashed: ridge")
        alt = "; ".join(f"{cell.row} {number_text(value)}" for cell, value in drawn)
        with TemporaryDirectory() as folder:  # only the page keeps it
            return save_plot(figure, Path(folder), name="intervals", title=title_of(block), alt=alt)
