"""Several runs in one plot."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from heads.evaluation.metric import TITLES
from heads.evaluation.run_scores import Evaluation
from heads.reports.figures import COLOURS, Plot, name_across, plotting, rows_figure, save_plot
from heads.reports.labels import label


def compare_plot(evaluations: Sequence[Evaluation]) -> Plot:
    """Per split and run: the mean metric over seeds with its interval over videos and seeds."""
    rows = [(split, at) for at, each in enumerate(evaluations) for split in each.splits]
    rows.sort(key=lambda row: (row[0].split, row[1]))
    with plotting():
        names = [label(f"{split.split}: {evaluations[at].run_dir.name}") for split, at in rows]
        figure = rows_figure(names, above=0.8)
        panel = figure.subplots()
        for place, (split, at) in enumerate(reversed(rows)):
            colour = COLOURS[at % len(COLOURS)]
            panel.plot([split.interval.low, split.interval.high], [place, place], color=colour, lw=2)
            panel.plot([split.mean], [place], "o", color=colour)
        panel.set_yticks(range(len(rows)), names[::-1])
        metrics = " or ".join(dict.fromkeys(TITLES[each.metric] for each in evaluations))
        has_intervals = not all(split.interval.why_none for split, _ in rows)
        panel.set(ylim=(-0.6, len(rows) - 0.4))
        name_across(figure, f"{metrics}, mean over seeds{' with 95 % interval' if has_intervals else ''}")
        alt = "; ".join(
            f"{evaluations[at].run_dir.name}, split {split.split}: {split.mean:.3f} "
            f"({split.interval.why_none or f'{split.interval.low:.3f} to {split.interval.high:.3f}'})"
            for split, at in rows
        )
        # It belongs to no single run, so that it is kept in the page alone.
        with TemporaryDirectory() as folder:
            return save_plot(figure, Path(folder), name="comparison", title="Runs side by side", alt=alt)
