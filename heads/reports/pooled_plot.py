"""The plot of a cross-validation: all out-of-fold predictions in one panel, colored by fold."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from heads.evaluation.residuals import SplitResiduals
from heads.evaluation.run_scores import SplitScores
from heads.reports.figures import COLORS, QUIET, Plot, new_figure, plotting, save_plot
from heads.reports.plot_labels import label

WIDTH, HEIGHT = 6.4, 4.6  # inches
MARKERS = ("o", "s", "^", "D", "v")  # one for each round through the colors
MOST_NAMED = 15  # folds in the legend


def pooled_predictions(
    splits: Sequence[SplitResiduals], pooled: SplitScores, folder: Path, *, target: str
) -> Plot:
    """Plot the seeds' mean prediction against the judges' score of every video, in the color of its fold."""
    with plotting():
        figure = new_figure(WIDTH, HEIGHT)
        panel = figure.subplots()
        scores = np.concatenate([values for split in splits for values in (split.true, split.mean)])
        ends = [scores.min(), scores.max()]
        panel.plot(ends, ends, color=QUIET, lw=1, ls="--")
        for at, split in enumerate(splits):
            rounds, color = divmod(at, len(COLORS))
            panel.plot(
                split.true,
                split.mean,
                MARKERS[rounds % len(MARKERS)],
                ms=4.5,
                color=COLORS[color],
                alpha=0.85,
                label=label(split.split),
            )
        panel.set(xlabel=label(f"judges' score: {target}"), ylabel="predicted score")
        if len(splits) <= MOST_NAMED:
            figure.legend(loc="outside right upper", fontsize="small")
        correlation = f"{pooled.ensemble.num_videos} videos, Spearman {pooled.ensemble.spearman:.3f}"
        by_fold = "; ".join(
            f"{split.split}: mean residual {split.residuals.mean():+.2f} over {len(split.videos)}"
            for split in splits
        )
        alt, title = f"{correlation}; {by_fold}", "Out-of-fold predictions, pooled"
        return save_plot(figure, folder, name="pooled", title=title, alt=alt)
