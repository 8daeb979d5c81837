"""The plot that compares several runs."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from heads.evaluation.metric import TITLES
from heads.evaluation.run_scores import Evaluation
from heads.reports.figures import COLORS, Plot, name_across, plotting, rows_figure, save_plot
from heads.reports.plot_labels import label


def compare_plot(evaluations: Sequence[Evaluation]) -> Plot:
    """Plot the mean metric over seeds of each split and run, with its interval over videos and seeds.

    A cross-validation has a further row, all its folds pooled.
    """
    rows = [
        (split, at)
        for at, each in enumerate(evaluations)
        for split in (*each.splits, *filter(None, [each.pooled]))
    ]
    rows.sort(key=lambda row: (row[0].split, row[1]))
    with plotting():
        names = [label(f"{split.split}: {evaluations[at].run_dir.name}") for split, at in rows]
        figure = rows_figure(names, above=0.8)
        panel = figure.subplots()
        for row, (split, at) in enumerate(reversed(rows)):
            color = COLORS[at % len(COLORS)]
            panel.plot([split.interval.low, split.interval.high], [row, row], color=color, lw=2)
            panel.plot([split.mean], [row], "o", color=color)
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
        # The plot belongs to no single run, so only the page keeps it.
        with TemporaryDirectory() as folder:
            return save_plot(figure, Path(folder), name="comparison", title="Runs side by side", alt=alt)
