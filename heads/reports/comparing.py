"""Several runs in one plot."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from heads.agreement import TITLES
from heads.evaluation import Evaluation
from heads.reports.figures import COLOURS, STYLE, Plot, new_figure, save_plot


def compare_plot(evaluations: Sequence[Evaluation]) -> Plot:
    """Per split and run: the mean metric over seeds with its interval over videos and seeds."""
    from matplotlib import rc_context

    rows = [(split, at) for at, each in enumerate(evaluations) for split in each.splits]
    rows.sort(key=lambda row: (row[0].split, row[1]))
    with rc_context(STYLE):
        figure = new_figure(6.8, 1.2 + 0.34 * len(rows))
        panel = figure.subplots()
        for place, (split, at) in enumerate(reversed(rows)):
            colour = COLOURS[at % len(COLOURS)]
            panel.plot([split.interval.low, split.interval.high], [place, place], color=colour, lw=2)
            panel.plot([split.mean], [place], "o", color=colour)
        names = [f"{split.split}: {evaluations[at].run_dir.name}".replace("$", r"\$") for split, at in rows]
        panel.set_yticks(range(len(rows)), names[::-1])
        metrics = " or ".join(dict.fromkeys(TITLES[each.metric] for each in evaluations))
        panel.set(xlabel=f"{metrics}, mean over seeds with 95 % interval", ylim=(-0.6, len(rows) - 0.4))
        alt = "; ".join(
            f"{evaluations[at].run_dir.name}, split {split.split}: {split.mean:.3f} "
            f"({split.interval.why_none or f'{split.interval.low:.3f} to {split.interval.high:.3f}'})"
            for split, at in rows
        )
        # It belongs to no single run, so that it is kept in the page alone.
        with TemporaryDirectory() as folder:
            return save_plot(figure, Path(folder), name="comparison", title="Runs side by side", alt=alt)
