"""The plot of a two-class target: predicted probabilities by true class."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from heads.evaluation.residuals import SplitResiduals
from heads.evaluation.two_class_target import HALF
from heads.reports.figures import COLORS, QUIET, Plot, plotting, save_plot
from heads.reports.plot_labels import label
from heads.reports.run_plots import panels_of

SPREAD = 0.3  # the points of a class are spread this far to either side


def probabilities(splits: Sequence[SplitResiduals], folder: Path, *, lower: str, upper: str) -> Plot:
    """Plot the probability of the upper class for each test video, by its true class.

    Wrong predictions are orange.
    """
    with plotting():
        figure, panels = panels_of(len(splits))
        for panel, split in zip(panels, splits, strict=True):
            positions = split.true + _offsets(split.true)
            wrong = is_wrong(split)
            for chosen, color in ((~wrong, COLORS[0]), (wrong, COLORS[1])):
                panel.errorbar(
                    positions[chosen],
                    split.mean[chosen],
                    yerr=split.seed_std[chosen],
                    fmt="o",
                    ms=4,
                    lw=0.8,
                    color=color,
                    alpha=0.85,
                )
            panel.axhline(HALF, color=QUIET, lw=1, ls="--")
            panel.set_xticks([0, 1], [label(f"true class: {name}") for name in (lower, upper)])
            panel.set(title=label(split.split), ylabel=label(f"probability: {upper}"))
            panel.set(xlim=(-0.5, 1.5), ylim=(-0.03, 1.03))
        alt = "; ".join(
            f"split {split.split}: {int((~is_wrong(split)).sum())} of {len(split.videos)} test videos correct"
            for split in splits
        )
        return save_plot(figure, folder, name="predictions", title="Predicted against true classes", alt=alt)


def is_wrong(split: SplitResiduals) -> NDArray[np.bool_]:
    """Return for each test video whether its predicted class is wrong, bool `(video)`."""
    return (split.mean >= HALF) != (split.true >= HALF)


def _offsets(true: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return offsets `(video)` that spread the videos of each class side by side, in order."""
    offsets = np.zeros(len(true))
    for value in np.unique(true):
        members = np.flatnonzero(true == value)
        offsets[members] = np.linspace(-SPREAD, SPREAD, len(members)) if len(members) > 1 else 0.0
    return offsets
